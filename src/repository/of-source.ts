import type { Root } from "../root/root.ts"

/** The name of an agent, such as `codex`, or several names. */
export type SourceFilter = string | readonly string[]

/** The names of a filter; `undefined` for all agents. @throws TypeError */
export function namesOf(source: SourceFilter | undefined): readonly string[] | undefined {
  if (source === undefined) return undefined
  const names: readonly unknown[] = typeof source === "string" ? [source] : source
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string"))
    throw new TypeError("source must be a name, as codex, or an array of names")
  return names
}

/**
 * A function that tells which roots may hold sessions of these agents; `undefined` for all agents. A root with sessions of several agents
 * may, and filters them itself by their names (`namesOf`).
 * @throws TypeError
 */
export function ofSource(source: SourceFilter | undefined): ((root: Root) => boolean) | undefined {
  const names = namesOf(source)
  return names && ((root) => root.origins !== undefined || names.includes(root.source))
}
