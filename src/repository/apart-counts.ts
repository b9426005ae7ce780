import type { Root } from "../root/root.ts"

/** Projects of which sessions are counted; `undefined` among them stands for all. */
type Projects = readonly (string | undefined)[]

/** How often counts are added up, where sessions come and go meanwhile. */
const MAX_TRIES = 2

/**
 * Counts over roots that share no session, which need no look at each: what each counts adds up, if they share none all the while. The names
 * after one count are those before the next, so that they are listed once a count.
 */
export class ApartCounts {
  /** Names of which no two roots shared one when they were listed last, as a digest. */
  #known: { readonly projects: string; readonly names: bigint } | undefined

  /**
   * @param areThere whether no root is out of reach
   * @param count of one root and project
   * @returns `undefined` where two share a session, a root is out of reach, or sessions went on coming and going
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

/** A digest of the names of sessions in each root, or each of some projects; `undefined` where two have the same one. */
async function namesApart(roots: readonly Root[], projects: Projects): Promise<bigint | undefined> {
  let digest = 0n
  const before = new Set<string>()
  const all = roots.flatMap(({ records }) => projects.map((projectID) => ({ records, projectID })))
  for (const [at, { records, projectID }] of all.entries()) {
    const own: string[] = []
    for (const folder of projectID === undefined ? await records.folders("session") : [projectID])
      for (const name of await records.names("session", folder)) own.push(name)
    if (at > 0 && own.some((name) => before.has(name))) return undefined
    // Nothing is looked for among the last.
    if (at < all.length - 1) for (const name of own) before.add(name)
    // No name holds the separator.
    digest = Bun.hash.xxHash3(own.join("/"), digest)
  }
  return digest
}
