import type { FileSystem } from "../file/system.ts"
import { ofSource, type SourceFilter } from "../repository/of-source.ts"
import type { Problem } from "../root/problem-log.ts"
import type { Root } from "../root/root.ts"
import type { Endable } from "../root/upkeep.ts"
import { historyBytes } from "./bytes.ts"

/** One of the places that a store reads, and how it is. */
export interface SourceReport {
  /** Whose history it is, as `codex`; `json` for a folder of JSON files that is no agent's. */
  readonly source: string
  readonly place: string
  /** `"indexed"` where its index is kept, `"read"` where that goes with the process, `"missing"` where there is nothing to be read. */
  readonly state: "indexed" | "read" | "missing"
  /** Sessions that can be read there, also those that another place has in a newer version. */
  readonly sessions: number
  /** What its files take. */
  readonly bytes: number
  /** What cannot be read of it, and why it is missing. */
  readonly problems: readonly Problem[]
}

/** Which places to tell of. */
export interface SourcesOptions extends Endable {
  /** Only those of this agent, or these. */
  readonly source?: SourceFilter | undefined
  /** Called before each place is looked at, and once at the end. */
  readonly onProgress?: ((progress: SourcesProgress) => void) | undefined
}

/** How many places were looked at, and which is next. */
export interface SourcesProgress {
  readonly done: number
  readonly total: number
  /** `undefined` at the end. */
  readonly next?: { readonly source: string; readonly place: string } | undefined
}

const ALL = { archived: "include", order: "updated", direction: "desc" } as const

/** Looks at each root, as `store.sources`. */
export async function* sourcesOf(
  fs: FileSystem,
  all: readonly Root[],
  isKept: (path: string) => boolean,
  { source: wanted, onProgress, signal }: SourcesOptions,
): AsyncGenerator<SourceReport> {
  const roots = all.filter(ofSource(wanted) ?? (() => true))
  const total = roots.length
  for (const [done, root] of roots.entries()) {
    const { source, place, catalog, upkeep } = root
    onProgress?.({ done, total, next: { source, place } })
    const missing = upkeep.missing()
    if (missing) {
      const problems = [{ path: missing.path ?? place, code: missing.code, message: missing.message }]
      yield { source, place, state: "missing", sessions: 0, bytes: 0, problems }
      continue
    }
    const sessions = await catalog.countSessions(ALL, signal)
    const problems = await Array.fromAsync(upkeep.problems({ signal }))
    const bytes = await historyBytes(fs, root, signal)
    const { path } = upkeep.health().index
    const state = path !== undefined && isKept(path) ? "indexed" : "read"
    yield { source, place, state, sessions, bytes, problems }
  }
  onProgress?.({ done: total, total })
}
