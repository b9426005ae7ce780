import type { Roots } from "../repository/roots.ts"
import type { SessionEntry } from "../root/catalog.ts"
import type { Root } from "../root/root.ts"

interface Newest {
  readonly root: Root
  readonly updated: number
  /** In how many roots it was listed. */
  readonly copies: number
  /** Whether another root has one as new: then it is for `Roots` to say which of them is read. */
  readonly tied: boolean
}

/** Tells of sessions which root they are read from, and asks of each but once. */
export class SessionOwners {
  readonly #roots: Roots
  readonly #question: object
  readonly #owners = new Map<string, Promise<Root | undefined>>()
  /** Of sessions that were listed, where they are newest. */
  #listed: ReadonlyMap<string, Newest> = new Map()

  /** @param question that it is asked for, as in the range of a listing */
  constructor(roots: Roots, question: object) {
    this.#roots = roots
    this.#question = question
  }

  /**
   * Takes note of what was listed of each root, in their order and of all projects: which root a session is read from that all of
   * them have is known without a look at its files.
   */
  note(listings: readonly { readonly root: Root; readonly entries: Iterable<SessionEntry> }[]): void {
    const listed = new Map<string, Newest>()
    for (const { root, entries } of listings)
      for (const { id, time } of entries) {
        const { copies, ...newest } = listed.get(id) ?? { root, updated: time, copies: 0, tied: false }
        const isTied = newest.tied || (copies > 0 && time === newest.updated)
        const next =
          time > newest.updated ? { root, updated: time, tied: false } : { ...newest, tied: isTied }
        listed.set(id, { ...next, copies: copies + 1 })
      }
    this.#listed = listed
  }

  /** The root a session is read from; none of one whose root is not there any more. */
  of(sessionID: string): Promise<Root | undefined> {
    const owner = this.#owners.get(sessionID) ?? this.#find(sessionID)
    this.#owners.set(sessionID, owner)
    return owner
  }

  async #find(sessionID: string): Promise<Root | undefined> {
    const listed = this.#listed.get(sessionID)
    const isKnown = listed?.copies === this.#roots.all.length && !listed.tied
    return isKnown ? listed.root : this.#roots.ownerOf(sessionID, this.#question)
  }
}
