import type { Roots } from "../repository/roots.ts"
import type { SessionEntry } from "../root/catalog.ts"
import type { Root } from "../root/root.ts"

interface Newest {
  readonly root: Root
  readonly updated: number
  /** In how many roots it was listed. */
  readonly copies: number
}

/** Tells of sessions which root they are read from, and asks of each but once. */
export class SessionOwners {
  readonly #roots: Roots
  readonly #owners = new Map<string, Promise<Root>>()
  /** Of sessions that were listed, where they are newest. */
  #listed: ReadonlyMap<string, Newest> = new Map()

  constructor(roots: Roots) {
    this.#roots = roots
  }

  /**
   * Takes note of what was listed of each root, in their order and of all projects: which root a session is read from that all of
   * them have is known without a look at its files.
   */
  note(listings: readonly { readonly root: Root; readonly entries: Iterable<SessionEntry> }[]): void {
    const listed = new Map<string, Newest>()
    for (const { root, entries } of listings)
      for (const { id, time } of entries) {
        const { copies, ...newest } = listed.get(id) ?? { root, updated: time, copies: 0 }
        const next = time > newest.updated ? { root, updated: time } : newest
        listed.set(id, { ...next, copies: copies + 1 })
      }
    this.#listed = listed
  }

  of(sessionID: string): Promise<Root> {
    const owner = this.#owners.get(sessionID) ?? this.#find(sessionID)
    this.#owners.set(sessionID, owner)
    return owner
  }

  async #find(sessionID: string): Promise<Root> {
    const listed = this.#listed.get(sessionID)
    return listed?.copies === this.#roots.all.length ? listed.root : this.#roots.ofSession(sessionID)
  }
}
