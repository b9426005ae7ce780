import type { Logger } from "../logger.ts"
import type { Catalog, SessionOrigin } from "./catalog.ts"
import type { StoreChange } from "./change.ts"
import type { Problem } from "./problem-log.ts"
import type { RecordSource } from "./record-source.ts"
import type { RootWatch } from "./root-watch.ts"
import type { SessionVersions } from "./session-versions.ts"
import type { TextSource } from "./text-source.ts"
import type { Upkeep } from "./upkeep.ts"

/**
 * A place where a history lies: a folder of JSON files, a database, the transcripts of an agent. Whatever is above (the
 * repositories, search, exports, usage, the server) knows nothing else of it, so to add a kind of history is to write one of
 * these. `scannedRoot` makes one of a `RecordSource` alone; `sessiondex/testing` has the contract that each has to keep.
 */
export interface Root {
  /** Which agent or program wrote it, as `opencode` or `codex`. */
  readonly source: string
  /** Where it lies: an absolute path, or a URL without credentials. No two roots of a store have the same. */
  readonly place: string
  /** What there is, and in which order. */
  readonly catalog: Catalog
  /** The bodies of records. */
  readonly records: RecordSource
  /** What a search goes through. */
  readonly texts: TextSource
  /** Keeping its index, and telling how it is. */
  readonly upkeep: Upkeep
  /** Where these sessions come from, of a root that holds those of several agents and machines; one without it holds those of `source`. */
  readonly origins?: (ids: readonly string[]) => Promise<ReadonlyMap<string, SessionOrigin>>
  /**
   * Begins to watch it: `tell` hears of every change in the shapes of JSON files, after which each question is answered by what is there
   * now. Called once at the most, and ended before `upkeep.stop()`. A root without it changes without a word.
   */
  readonly watch?: (tell: (change: StoreChange) => void) => RootWatch
  /** Which sessions may have changed, for who keeps copies of them. Of a root without it everything is read each time. */
  readonly versions?: SessionVersions
}

/** What a store gives a root that it opens. */
export interface RootContext {
  /** A folder of the store's for this root's index, to be made when it is needed; `undefined` for one that goes with the process. */
  readonly indexFolder: string | undefined
  /** The folder that all indexes of the store lie in: who may write there may use them. */
  readonly indexRoot: string
  /** Whether the folder for the index may be made: reading makes nothing in a folder that is no store. */
  readonly mayIndex: () => boolean
  /** Larger records are passed over by lists and refused by name, in bytes. */
  readonly maxRecordBytes: number
  /** What can be searched. */
  readonly search: "all" | "titles" | "off"
  /** Whether to index by itself, in slices and without keeping the process alive. */
  readonly backgroundIndex: boolean
  /** How old, in ms, a listing may be with respect to changes by others. */
  readonly maxStaleness: number
  /** Bound of SQLite's page cache, in bytes. */
  readonly cacheSize: number
  readonly logger: Logger
  /** Tells of a record that cannot be read. Each different problem is to be told once: `ProblemLog` sees to that. */
  readonly tell: (problem: Problem) => void
}

/** Opens a root for a store. Opening must not wait for anything, nor throw for what lies there: reading it tells. */
export interface RootProvider {
  /** The `place` of the root that it opens: its index is kept under it. */
  readonly place: string
  open(context: RootContext): Root
}
