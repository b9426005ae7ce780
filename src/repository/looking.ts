import { type Unseen, unseenError } from "../root/record-source.ts"

/** Notes what could not be looked at while a record was looked for. */
export class Looking {
  readonly #strict: boolean
  #refusal: Unseen | undefined

  /** @param strict whether a place that is closed to us is an error too if nothing is found, as for changes */
  constructor(strict = false) {
    this.#strict = strict
  }

  /**
   * Notes a place. One that stays unreadable, because it is closed to us or damaged, is only reported unless `strict`: one such folder must
   * not make every search for a record fail.
   */
  readonly note = (unseen: Unseen): void => {
    const lasts = unseen.closed === true || unseen.code !== "UNREADABLE"
    if (this.#strict || !lasts) this.#refusal ??= unseen
  }

  /** Checks, if nothing was found, that everything was looked at. @throws StoreError `UNREADABLE` if not */
  mustHaveSeenAll(): void {
    if (this.#refusal) throw unseenError(this.#refusal)
  }
}
