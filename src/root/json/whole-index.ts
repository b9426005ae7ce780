import type { WalkHealth } from "../health.ts"

/**
 * Whether the index is known to have everything that a search has to find: it can be sound and yet lack what nobody has
 * looked at.
 */
export class WholeIndex {
  /** How often the index came to lack something with nobody about to put it there, and how much of that is mended. */
  #missed: number
  #mended = 0
  /** The database that was walked through; none where it changed meanwhile. */
  #walked: string | undefined
  readonly #background: () => WalkHealth["state"]

  /**
   * @param whole whether someone is about to walk through it from the beginning
   * @param background how the background walk is doing
   */
  constructor(whole: boolean, background: () => WalkHealth["state"]) {
    this.#missed = whole ? 0 : 1
    this.#background = background
  }

  /** Whether the store must be walked through before the index can be gone by. */
  get mustSweep(): boolean {
    return this.#missed > this.#mended
  }

  /** Whether the background is about to make it whole, or doing so. */
  get isWalking(): boolean {
    const state = this.#background()
    return state === "waiting" || state === "running"
  }

  /** The database that is known to be whole; `undefined` while it is being made so. */
  get database(): string | undefined {
    return this.isWalking ? undefined : this.#walked
  }

  /** The database that was walked through last. */
  get walked(): string | undefined {
    return this.#walked
  }

  /** Something could not be noted. */
  noteMissed(): void {
    this.#missed++
  }

  /** Everything was looked at. */
  noteSwept(): void {
    this.#mended = this.#missed
  }

  /** A walk begins, which mends what was missed before it: to be told when it is done, and in which database. */
  begin(): (database: string | undefined) => void {
    const missed = this.#missed
    return (database) => {
      this.#walked = database
      this.#mended = Math.max(this.#mended, missed)
    }
  }
}
