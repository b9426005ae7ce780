import { type Unseen, unseenError } from "../root/record-source.ts"

/** What could not be looked at while one record was looked for. */
export class Looking {
  readonly #strict: boolean
  #refusal: Unseen | undefined

  /** @param strict whether what is closed to us is an error where nothing is found, as where something is to be changed */
  constructor(strict = false) {
    this.#strict = strict
  }

  /**
   * What is closed to us lasts, and so does a damaged database or a link: one folder of somebody else's is not to stand in the way of
   * everything. It is reported.
   */
  readonly note = (unseen: Unseen): void => {
    const lasts = unseen.closed === true || unseen.code !== "UNREADABLE"
    if (this.#strict || !lasts) this.#refusal ??= unseen
  }

  /** Nothing was found: that is only an answer where everything was looked at. @throws StoreError `UNREADABLE` */
  mustHaveSeenAll(): void {
    if (this.#refusal) throw unseenError(this.#refusal)
  }
}
