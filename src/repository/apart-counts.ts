import type { Root } from "../root/root.ts"

/** The projects whose sessions are counted; `undefined` means all projects. */
type Projects = readonly (string | undefined)[]

/** How many times counts are added up, if sessions come and go meanwhile. */
const MAX_TRIES = 2

/**
 * Counts sessions over roots that share none, without looking at each session: the roots' counts are added up, if the names before and after
 * show that no session is in two roots. The names after one count serve as those before the next, so they are listed once for each count.
 */
export class ApartCounts {
  /** A digest of all names at the last listing, if no name was in two roots. */
  #known: { readonly projects: string; readonly names: bigint } | undefined

  /**
   * Adds up counts.
   * @param areThere returns whether no root is out of reach
   * @param count counts in one root and project
   * @returns `undefined` if two roots share a session, a root is out of reach, or sessions keep coming and going
   */
  async of(
    roots: readonly Root[],
    projects: Projects,
    areThere: () => boolean,
    count: (root: Root, projectID: string | undefined) => number | Promise<number>,
  ): Promise<number | undefined> {
    const asked = JSON.stringify(projects.map((projectID) => projectID ?? null))
    const list = async (): Promise<bigint | undefined> => {
      this.#known = undefined
      const names = areThere() ? await namesApart(roots, projects) : undefined
      if (names !== undefined) this.#known = { projects: asked, names }
      return names
    }
    let before = this.#known?.projects === asked ? this.#known.names : await list()
    for (let tries = 1; before !== undefined && tries <= MAX_TRIES; tries++) {
      let sum = 0
      for (const root of roots) for (const projectID of projects) sum += await count(root, projectID)
      const after = await list()
      if (after === before) return sum
      before = after
    }
    return undefined
  }
}

/** A digest of the names of sessions in all roots, or in some projects of them; `undefined` if a name occurs twice. */
async function namesApart(roots: readonly Root[], projects: Projects): Promise<bigint | undefined> {
  let digest = 0n
  const before = new Set<string>()
  const all = roots.flatMap(({ records }) => projects.map((projectID) => ({ records, projectID })))
  for (const [at, { records, projectID }] of all.entries()) {
    const own: string[] = []
    for (const folder of projectID === undefined ? await records.folders("session") : [projectID])
      for (const name of await records.names("session", folder)) own.push(name)
    if (at > 0 && own.some((name) => before.has(name))) return undefined
    // The names of the last root need not be remembered.
    if (at < all.length - 1) for (const name of own) before.add(name)
    // No name contains the separator.
    digest = Bun.hash.xxHash3(own.join("/"), digest)
  }
  return digest
}
