import { join } from "node:path"
import { SqliteIndex } from "../../database/sqlite-index.ts"
import { isStoreError, type StoreError } from "../../errors.ts"
import { loaded, untilAdmitted } from "../../exhaustion.ts"
import { DeviceClock } from "../../file/clock.ts"
import { listFolders, placePath, recordPath, statRecord } from "../../file/layout.ts"
import type { FileSystem } from "../../file/system.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import { type Key, keyPath } from "../../record/key.ts"
import type { Place } from "../../record/kind.ts"
import type { Catalog } from "../catalog.ts"
import type { OlderLayout } from "../older/older-layout.ts"
import { ProblemLog } from "../problem-log.ts"
import type { SessionVersions } from "../session-versions.ts"
import type { WritableRoot } from "../writable-root.ts"
import { folderToWrite, placesOf } from "./bodies.ts"
import { FallbackCatalog } from "./fallback-catalog.ts"
import { FileCatalog, NOTHING_UNWRITTEN, type RecordFiles } from "./file-catalog.ts"
import { JsonIndexing } from "./json-indexing.ts"
import type { JsonOptions } from "./json-options.ts"
import { JsonRecords } from "./json-records.ts"
import { JsonTexts } from "./json-texts.ts"
import { JsonUpkeep } from "./json-upkeep.ts"
import { Reach } from "./reach.ts"
import { SqliteCatalog } from "./sqlite-catalog.ts"

/**
 * A folder of JSON files with a SQLite index beside it: the reference for all roots, and the only kind that can be written to. What
 * listings do not need is loaded when it is used, so that a process that only lists starts sooner.
 */
export class JsonRoot implements WritableRoot {
  readonly source: string
  readonly place: string
  readonly catalog: Catalog
  readonly records: JsonRecords
  readonly texts: JsonTexts
  readonly upkeep: JsonUpkeep
  readonly indexing: JsonIndexing
  /** Its files, for code that works on files: writing, the trash, imports, the watch. */
  readonly files: RecordFiles
  /** Its index, and what reconciling it with the files needs. */
  readonly within: Reconciler

  #versions: SessionVersions | undefined

  constructor(options: JsonOptions) {
    const { directory, readOnly, indexFolder, maxRecordBytes, logger, filesOnly = false } = options
    this.place = directory
    this.source = options.source ?? "json"
    const tellRefusal = ({ path = directory, code, message }: StoreError): void =>
      options.tell({ path, code, message })
    const layout = options.layout === "older" ? olderLayout(options.fs, directory, tellRefusal) : undefined
    const fs = layout?.view() ?? options.fs
    const locate = (path: string): string => layout?.locate(path) ?? path
    const problems = new ProblemLog((problem) => options.tell({ ...problem, path: locate(problem.path) }))
    const { unwritten = NOTHING_UNWRITTEN } = options
    const doubt = async (at: Place, id: string): Promise<void> => {
      if (!filesOnly) await this.indexing.doubt(at, id)
    }
    this.files = { fs, directory, maxRecordBytes, problems, unwritten, doubt, locate }
    const index = new SqliteIndex({
      folder: indexFolder,
      root: indexFolder && options.indexRoot,
      cacheBytes: options.cacheSize,
      logger,
      mayBeMade: options.mayIndex,
    })
    // The probe lies beside the index. If that is on another device than the files, the probe proves nothing about them.
    const probe = indexFolder === undefined ? undefined : join(indexFolder, "clock")
    const clock = new DeviceClock(options.fs, probe)
    this.within = { fs, directory, index, clock, maxRecordBytes, readOnly, fields: options.fields }
    const scanned = new FileCatalog(this.files)
    const indexed = new SqliteCatalog(this.within, this.files, options.maxStaleness)
    const fallback = new FallbackCatalog(indexed, scanned)
    this.catalog = filesOnly ? scanned : fallback
    this.records = new JsonRecords(this.files, clock)
    const { files, within } = this
    const reach = new Reach(fs, directory, options.tell)
    this.indexing = new JsonIndexing({ files, within, indexed, reach, options })
    const { indexing } = this
    this.upkeep = new JsonUpkeep({
      files,
      within,
      indexing,
      answers: fallback.answers,
      layout,
      reach,
      readOnly,
    })
    this.texts = new JsonTexts(options.search, files, within, scanned, indexing)
  }

  get versions(): SessionVersions {
    this.#versions ??= sessionVersions(this)
    return this.#versions
  }

  async has(key: Key): Promise<boolean> {
    const { fs, unwritten } = this.files
    const path = keyPath(this.place, key)
    if (unwritten.newest(path)) return true
    try {
      return (await untilAdmitted(() => statRecord(fs, path))) !== undefined
    } catch (error) {
      // It counts as there; reading it will report why it cannot be looked at.
      if (isStoreError(error)) return true
      throw error
    }
  }

  async folderToWrite(sessionID: string, named: string | undefined): Promise<string | undefined> {
    return await untilAdmitted(() => folderToWrite(this.files, sessionID, named))
  }

  sessionFile(sessionID: string): string | undefined {
    const { fs, directory, locate } = this.files
    for (const folder of listFolders(fs, placePath(directory, { kind: "session", folder: "" })).ids) {
      const path = recordPath(directory, { kind: "session", folder }, sessionID)
      if (statRecord(fs, path)) return locate(path)
    }
    return undefined
  }

  async *keys(prefix: Key, signal?: AbortSignal): AsyncGenerator<string[]> {
    const { keysBelow } = await loaded(() => import("./keys.ts"))
    yield* keysBelow(this.files, prefix, signal)
  }

  projectsOf(sessionID: string): string[] {
    return placesOf(this.files, "session", sessionID).map(({ folder }) => folder)
  }
}

function sessionVersions({ within, indexing, records }: JsonRoot): SessionVersions {
  const { JsonVersions }: typeof import("./json-versions.ts") = require("./json-versions.ts")
  return new JsonVersions(within, indexing, records)
}

function olderLayout(fs: FileSystem, folder: string, tell: (error: StoreError) => void): OlderLayout {
  const { OlderLayout }: typeof import("../older/older-layout.ts") = require("../older/older-layout.ts")
  return new OlderLayout(fs, folder, tell)
}
