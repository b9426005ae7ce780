import type { Root } from "../root/root.ts"

/** Of which agents: the name of one source, as `codex`, or several. */
export type SourceFilter = string | readonly string[]

/** The names that are meant; `undefined` where all are. @throws TypeError */
export function namesOf(source: SourceFilter | undefined): readonly string[] | undefined {
  if (source === undefined) return undefined
  const names: readonly unknown[] = typeof source === "string" ? [source] : source
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string"))
    throw new TypeError("source must be a name, as codex, or an array of names")
  return names
}

/**
 * Tells which roots may hold what is meant; `undefined` where all do. A root of several agents may hold any, and is told the names (`namesOf`).
 * @throws TypeError
 */
export function ofSource(source: SourceFilter | undefined): ((root: Root) => boolean) | undefined {
  const names = namesOf(source)
  return names && ((root) => root.origins !== undefined || names.includes(root.source))
}
