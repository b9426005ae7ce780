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
 * A place where a history lies: a folder of JSON files, a database, an agent's transcripts. All layers above (repositories,
 * search, exports, usage, the server) know only this interface, so adding a kind of history means writing one of these.
 * `scannedRoot` makes one from a `RecordSource` alone; `sessiondex/testing` has the contract that each must pass.
 */
export interface Root {
  /** Which agent or program wrote it, such as `opencode` or `codex`. */
  readonly source: string
  /** Where it lies: an absolute path, or a URL without credentials. Unique among the roots of a store. */
  readonly place: string
  /** What there is, and in which order. */
  readonly catalog: Catalog
  /** The bodies of records. */
  readonly records: RecordSource
  /** What a search goes through. */
  readonly texts: TextSource
  /** Keeps its index, and tells how it is. */
  readonly upkeep: Upkeep
  /** Where these sessions come from. Only for a root with sessions of several agents and machines; otherwise all are from `source`. */
  readonly origins?: (ids: readonly string[]) => Promise<ReadonlyMap<string, SessionOrigin>>
  /**
   * Begins to watch the root. `tell` is called for every change, as if the records were JSON files; questions asked after that are answered
   * from the new state. Called once at most; the watch is stopped before `upkeep.stop()`. Without it changes are not told.
   */
  readonly watch?: (tell: (change: StoreChange) => void) => RootWatch
  /** Tells which sessions may have changed, for callers that keep copies of them. Without it they read everything each time. */
  readonly versions?: SessionVersions
}

/** What a store passes to a root that it opens. */
export interface RootContext {
  /** The folder for this root's index, to be made when it is needed; `undefined` if the index is to end with the process. */
  readonly indexFolder: string | undefined
  /** The folder that all indexes of the store lie in. Whoever may write there may use the indexes. */
  readonly indexRoot: string
  /** Whether the folder for the index may be made: reading must make nothing in a folder that is no store. */
  readonly mayIndex: () => boolean
  /** The largest record that is read, in bytes. Lists skip larger ones, and reading them by id is refused. */
  readonly maxRecordBytes: number
  /** What can be searched. */
  readonly search: "all" | "titles" | "off"
  /** Whether to index in the background, in slices and without keeping the process alive. */
  readonly backgroundIndex: boolean
  /** How long ago, in ms, the files may have been looked at for a listing: later changes by other programs may be missing. */
  readonly maxStaleness: number
  /** The limit of SQLite's page cache, in bytes. */
  readonly cacheSize: number
  readonly logger: Logger
  /** Reports a record that cannot be read. Call it once for each different problem; `ProblemLog` takes care of that. */
  readonly tell: (problem: Problem) => void
}

/** Opens a root for a store. Opening must not wait for anything and must not throw because of what lies there; reading reports that. */
export interface RootProvider {
  /** The `place` of the root that it opens; its index is kept under a hash of this. */
  readonly place: string
  open(context: RootContext): Root
}
