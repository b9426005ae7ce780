import type { Root } from "../root/root.ts"

/** The sessions that lie in each of several roots, or of several projects in them, by their names. */
export class SessionNames {
  readonly #lists: readonly (readonly string[])[]

  private constructor(lists: readonly (readonly string[])[]) {
    this.#lists = lists
  }

  /** As they lie there now. @param projects `undefined` among them stands for all */
  static async of(roots: readonly Root[], projects: readonly (string | undefined)[]): Promise<SessionNames> {
    const lists: string[][] = []
    for (const { records } of roots)
      for (const projectID of projects) {
        const own: string[] = []
        for (const folder of projectID === undefined ? await records.folders("session") : [projectID])
          for (const id of await records.ids("session", folder)) own.push(id)
        lists.push(own)
      }
    return new SessionNames(lists)
  }

  /** Whether no name is in two of the lists. */
  shareNone(): boolean {
    const before = new Set<string>()
    for (const [at, list] of this.#lists.entries()) {
      if (at > 0 && list.some((name) => before.has(name))) return false
      // Nothing is looked for among the last.
      if (at < this.#lists.length - 1) for (const name of list) before.add(name)
    }
    return true
  }

  equals(other: SessionNames): boolean {
    return Bun.deepEquals(this.#lists, other.#lists)
  }
}
