/** The root that a session was last read from, and how new it was there. */
interface Version<R> {
  readonly root: R
  readonly updated: number
  /** Whether another root had a version with the same time and another number of messages. */
  readonly tied: boolean
}

/**
 * Remembers which sessions were read from which root beside the store's own, and how new they were there, so that no older copy stands in
 * for them when such a root is gone. Grows only with those sessions.
 */
export class ReadFrom<R> {
  readonly #versions = new Map<string, Version<R>>()

  note(id: string, version: Version<R>): void {
    this.#versions.set(id, version)
  }

  forget(id: string): void {
    this.#versions.delete(id)
  }

  has(id: string): boolean {
    return this.#versions.has(id)
  }

  /** The root that had a newer version of a session than this one; `undefined` if none is known. */
  newerThan(id: string, updated: number): R | undefined {
    const known = this.#versions.get(id)
    if (!known) return undefined
    return updated < known.updated || (known.tied && updated === known.updated) ? known.root : undefined
  }
}
