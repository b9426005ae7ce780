import { resolve } from "node:path"
import type { Logger } from "./logger.ts"
import { silentLogger } from "./logger.ts"
import { fieldsOf } from "./record/extract.ts"
import { DeclaredFields, type FieldTypes, type NoFields } from "./record/fields.ts"
import type { RecordSchemas } from "./record/schema.ts"
import type { Problem } from "./root/problem-log.ts"
import type { RootProvider } from "./root/root.ts"
import { sourceNames } from "./sources/find-sources.ts"
import type { Source } from "./sources/source.ts"

/** How to open a store; only `directory` is needed. */
export interface StoreOptions<F extends FieldTypes = NoFields> {
  /**
   * The store's folder: the one that holds `session/`, `message/` and `part/`. It need not exist yet: the first record makes it. Or the
   * folder of all of opencode's data: then its `storage/` is the store's folder, and what lies beside that in `project/` and in
   * `opencode*.db` is read too, each session once.
   */
  directory: string
  /**
   * A database of the data folder under another name, as opencode's `OPENCODE_DB` tells: absolute, or relative to that folder. Where
   * `directory` is a store's own folder it says nothing.
   */
  database?: string | undefined
  /**
   * Folders of other stores (a backup, a synced machine) to be read beside it, and never written to. A session that lies in
   * several is listed once, with its newest `time.updated`. They may also be the `project` folder of an older layout, or
   * opencode's data folder.
   */
  alsoRead?: readonly string[] | undefined
  /**
   * Other places to be read beside it, of any kind: what `scannedRoot` makes, or a package gives. Like the folders of
   * `alsoRead` they are never written to, and come after these.
   */
  roots?: readonly RootProvider[] | undefined
  /**
   * Histories of agents to be read beside it, as `findSources` gives them; never written to. The store's own folder need not be there then, and
   * reading does not make it: until something is written, or `keepIndex` says otherwise, the indexes go with the process.
   */
  sources?: readonly Source[] | undefined
  /** Read the history in opencode's older layout too where it lies beside a folder named `storage`. Default `true`. */
  older?: boolean | undefined
  /**
   * A folder for the index's files instead of the dot-folder in the store, for a store on a network drive. The write
   * lock lies there too, so all programs that write to the store must name the same folder.
   */
  indexPath?: string | undefined
  /** Keep the index in `directory` also where that is no store yet, and make the folder for it. Default `false`. */
  keepIndex?: boolean | undefined
  /** Index the whole store in the background after opening. No call waits for it. Default `true`. */
  backgroundIndex?: boolean | undefined
  /**
   * Watch the store's folders, those of transcripts and opencode's databases, so that changes by other programs reach the index at once and `changes()`
   * tells of them. Costs a system watch and about 3 kB a folder. Default `false`.
   */
  watch?: boolean | undefined
  /**
   * How old, in ms, a listing may be with respect to changes made by other programs. Default 0: every listing looks at
   * the files. This process's own writes are seen at once whatever it is.
   */
  maxStaleness?: number | undefined
  /** `"relaxed"` leaves out the flushes: a power cut may then lose the last writes, or leave their files empty or torn. Default `"full"`. */
  durability?: "full" | "relaxed" | undefined
  /** Bound of SQLite's page cache, in bytes. Default 8 MB: the system caches the file too. */
  cacheSize?: number | undefined
  /**
   * What can be searched: titles and message texts, titles alone, or nothing. What was off and is turned on later catches up.
   * Default `"all"`.
   */
  search?: "all" | "titles" | "off" | undefined
  /** Larger files are not read: lists skip and report them, `get` throws `TOO_LARGE`. In bytes, default 16 MiB. */
  maxRecordBytes?: number | undefined
  /** Change nothing in the store's folder; every write is a `READ_ONLY` error. Default `false`. */
  readOnly?: boolean | undefined
  /** Where to tell of what was worked around. Default: nowhere. */
  logger?: Logger | undefined
  /** Standard Schemas per kind of record, checked before a write. */
  schemas?: RecordSchemas | undefined
  /**
   * Top-level fields of bodies that sessions can be listed, filtered and counted by, as `{ session: { mood: "text", score: "number" } }`.
   * Values of another type count as missing, as do texts above 512 UTF-16 units; what is missing comes before all else in ascending
   * order. Another declaration than the last one has every session read once more.
   */
  fields?: { readonly session?: F | undefined } | undefined
  /** Called once for each record that cannot be read, when a call meets it. */
  onProblem?: ((problem: Problem) => void) | undefined
}

const DEFAULT_CACHE_BYTES = 8_000_000
const DEFAULT_MAX_RECORD_BYTES = 16 * 1024 * 1024
const MAX_RECORD_BYTES = 0x1fff_ffe8

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly directory: string
  /** Absolute. */
  readonly database: string | undefined
  /** Whether that is the `storage/` of a data folder that was named, which need not have one. */
  readonly inDataFolder: boolean
  readonly alsoRead: readonly string[]
  /** Those of `alsoRead` that are opencode's. */
  readonly opencodeFolders: readonly string[]
  /** Histories of agents; `undefined` where none were asked for. */
  readonly sources: readonly Source[] | undefined
  readonly roots: readonly RootProvider[]
  readonly older: boolean
  readonly indexPath: string | undefined
  readonly keepIndex: boolean
  readonly backgroundIndex: boolean
  readonly watch: boolean
  readonly maxStaleness: number
  readonly durability: "full" | "relaxed"
  readonly cacheSize: number
  readonly search: "all" | "titles" | "off"
  readonly maxRecordBytes: number
  readonly readOnly: boolean
  readonly logger: Logger
  readonly schemas: RecordSchemas | undefined
  /** `undefined` where none are declared. */
  readonly fields: DeclaredFields | undefined
  readonly onProblem: (problem: Problem) => void
}

function numberFrom(
  name: string,
  value: number | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return otherwise
  if (typeof value !== "number" || !(value >= least) || value > most)
    throw new TypeError(`${name} must be a number from ${least} to ${most}, not ${String(value)}`)
  return value
}

function foldersFrom(alsoRead: unknown, directory: string): string[] {
  if (alsoRead === undefined) return []
  if (!Array.isArray(alsoRead) || alsoRead.some((folder) => typeof folder !== "string" || folder === ""))
    throw new TypeError("alsoRead must be an array of folders")
  const folders = new Set(alsoRead.map((folder) => resolve(String(folder))))
  if (folders.has(directory)) throw new TypeError(`alsoRead names the store's own folder: ${directory}`)
  return [...folders]
}

function rootsFrom(roots: readonly RootProvider[] | undefined): readonly RootProvider[] {
  if (roots === undefined) return []
  const isRoot = (root: unknown): boolean => {
    const { place, open } = fieldsOf(root)
    return typeof place === "string" && place !== "" && typeof open === "function"
  }
  if (!Array.isArray(roots) || !roots.every(isRoot))
    throw new TypeError("roots must be an array of what `scannedRoot` makes: { place, open }")
  const places = roots.map(({ place }) => place)
  const twice = places.find((place, at) => places.indexOf(place) !== at)
  if (twice !== undefined) throw new TypeError(`roots names one place twice: ${twice}`)
  return [...roots]
}

function sourcesFrom(sources: readonly Source[] | undefined): readonly Source[] | undefined {
  if (sources === undefined) return undefined
  if (!Array.isArray(sources)) throw new TypeError("sources must be an array of { name, place }")
  const names: readonly string[] = sourceNames()
  return sources.map((source: Source): Source => {
    const { name, place, database } = source
    if (!names.includes(name))
      throw new TypeError(`There is no source ${JSON.stringify(name)}: it must be one of ${names.join(", ")}`)
    if (typeof place !== "string" || place === "")
      throw new TypeError(`The place of ${name} must be a folder`)
    const at = resolve(place)
    return { name, place: at, database: database === undefined ? undefined : resolve(at, database) }
  })
}

/** Names that say something else in a query, or are those of the place a body lies in. */
const TAKEN: ReadonlySet<string> = new Set(["updated", "created", "id", "projectID", "__proto__", ""])

function fieldsFrom(
  fields: { readonly session?: FieldTypes | undefined } | undefined,
): DeclaredFields | undefined {
  if (fields === undefined) return undefined
  const unknown = Object.keys(fieldsOf(fields)).find((kind) => kind !== "session")
  if (unknown !== undefined || typeof fields !== "object" || fields === null)
    throw new TypeError(`fields must be { session: { name: "text" | "number" } }`)
  if (fields.session === undefined) return undefined
  const types = fieldsOf(fields.session)
  for (const [name, type] of Object.entries(types)) {
    if (type !== "text" && type !== "number")
      throw new TypeError(`fields.session.${name} must be "text" or "number", not ${JSON.stringify(type)}`)
    if (TAKEN.has(name) || !name.isWellFormed())
      throw new TypeError(`${JSON.stringify(name)} cannot be a declared field`)
  }
  const declared = new DeclaredFields(fields.session)
  return declared.all.length === 0 ? undefined : declared
}

/** Whether the store's own folder need not be there: a data folder, or agents' histories, hold something else to be read. */
export function ownMayBeMissing({ inDataFolder, sources }: ResolvedOptions): boolean {
  return inDataFolder || sources !== undefined
}

/** Checks options and fills in the defaults. @throws TypeError */
export function resolveOptions(options: StoreOptions<FieldTypes>): ResolvedOptions {
  if (typeof options?.directory !== "string" || options.directory === "")
    throw new TypeError("openStore needs { directory }: the folder that holds session/, message/ and part/")
  const { durability = "full", search = "all" } = options
  if (search !== "all" && search !== "titles" && search !== "off")
    throw new TypeError(`search must be "all", "titles" or "off", not ${JSON.stringify(search)}`)
  if (durability !== "full" && durability !== "relaxed")
    throw new TypeError(`durability must be "full" or "relaxed", not ${JSON.stringify(durability)}`)
  if (options.indexPath !== undefined && (typeof options.indexPath !== "string" || options.indexPath === ""))
    throw new TypeError("indexPath must be a folder")
  if (options.database !== undefined && (typeof options.database !== "string" || options.database === ""))
    throw new TypeError("database must be a file")
  const directory = resolve(options.directory)
  return {
    directory,
    database: options.database === undefined ? undefined : resolve(directory, options.database),
    inDataFolder: false,
    alsoRead: foldersFrom(options.alsoRead, directory),
    opencodeFolders: [],
    sources: sourcesFrom(options.sources),
    roots: rootsFrom(options.roots),
    older: options.older ?? true,
    indexPath: options.indexPath === undefined ? undefined : resolve(options.indexPath),
    keepIndex: options.keepIndex ?? false,
    backgroundIndex: options.backgroundIndex ?? true,
    watch: options.watch ?? false,
    maxStaleness: numberFrom("maxStaleness", options.maxStaleness, 0, 0, Number.POSITIVE_INFINITY),
    durability,
    search,
    cacheSize: numberFrom("cacheSize", options.cacheSize, DEFAULT_CACHE_BYTES, 1024, Number.MAX_SAFE_INTEGER),
    maxRecordBytes: numberFrom(
      "maxRecordBytes",
      options.maxRecordBytes,
      DEFAULT_MAX_RECORD_BYTES,
      1,
      MAX_RECORD_BYTES,
    ),
    readOnly: options.readOnly ?? false,
    logger: options.logger ?? silentLogger,
    schemas: options.schemas,
    fields: fieldsFrom(options.fields),
    onProblem: options.onProblem ?? (() => {}),
  }
}
