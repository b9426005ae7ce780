import type { Root } from "../root/root.ts"

/**
 * A digest of the names of sessions that lie in each of several roots now, or of several projects in them; `undefined` where two of them have
 * the same one.
 * @param projects `undefined` among them stands for all
 */
export async function namesApart(
  roots: readonly Root[],
  projects: readonly (string | undefined)[],
): Promise<bigint | undefined> {
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
