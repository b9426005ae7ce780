/** How new a session was where it was last read from. */
interface Version<R> {
  readonly root: R
  readonly updated: number
  /** Whether another folder had a version of the same time, with fewer messages. */
  readonly tied: boolean
}

/**
 * Remembers of sessions that were read from folders beside the store's own from which, and how new they were there, so that nothing
 * older stands in for them when such a folder is gone. Grows with those sessions only.
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

  /** The folder that had a newer version of a session than this one, which lies elsewhere. */
  newerThan(id: string, updated: number): R | undefined {
    const known = this.#versions.get(id)
    if (!known) return undefined
    return updated < known.updated || (known.tied && updated === known.updated) ? known.root : undefined
  }
}
