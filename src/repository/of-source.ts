import type { Root } from "../root/root.ts"

/** Of which agents: the name of one source, as `codex`, or several. */
export type SourceFilter = string | readonly string[]

/** Tells which roots are meant; `undefined` where all are. @throws TypeError */
export function ofSource(source: SourceFilter | undefined): ((root: Root) => boolean) | undefined {
  if (source === undefined) return undefined
  const names: readonly unknown[] = typeof source === "string" ? [source] : source
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string"))
    throw new TypeError("source must be a name, as codex, or an array of names")
  return (root) => names.includes(root.source)
}
