import { join } from "node:path"
import { lazy } from "./database/lazy.ts"
import { required } from "./exhaustion.ts"
import type { WatchFolder } from "./file/folder-watches.ts"
import { LOCK_FILE } from "./file/layout.ts"
import { ProcessLock } from "./file/lock.ts"
import { type FileSystem, fileSystem } from "./file/system.ts"
import type { Logger } from "./logger.ts"
import { ownMayBeMissing, type ResolvedOptions } from "./options.ts"
import { indexFolderOf, otherIndexFolder, otherPlaces } from "./places.ts"
import { Roots } from "./repository/roots.ts"
import type { TrashFolder } from "./retention/trash.ts"
import { JsonRoot } from "./root/json/json-root.ts"
import { JsonWriter } from "./root/json/json-writer.ts"
import { isStore } from "./root/json/store-folder.ts"
import type { Problem } from "./root/problem-log.ts"
import type { Root, RootContext } from "./root/root.ts"
import type { RootWatch } from "./root/root-watch.ts"
import { ChangeFeed } from "./watch/change-feed.ts"
import type { OwnWrites } from "./watch/own-writes.ts"
import type { StoreWatch } from "./watch/store-watch.ts"
import type { Writing } from "./writing.ts"

/** What a test may put in place of the real thing. */
export interface StoreParts {
  readonly fs?: FileSystem
  /** Answer from the files alone, without any index. */
  readonly filesOnly?: boolean
  readonly watch?: WatchFolder
}

/** What a store is made of. */
export interface Composition {
  readonly fs: FileSystem
  /** The store's own folder, and with what else is read. */
  readonly own: JsonRoot
  readonly roots: Roots
  /** What every root is opened with, but for the place of its index. */
  readonly context: Omit<RootContext, "indexFolder">
  /** All roots, the own folder first, also while the store is closed. */
  readonly all: readonly Root[]
  /** Changes the own folder. */
  readonly writer: JsonWriter
  /** What that takes; loaded by the first change. */
  readonly writing: () => Writing
  /** The same where something was changed or is to be; otherwise nothing can be waiting. */
  readonly written: () => Writing | undefined
  readonly feed: ChangeFeed
  readonly lock: ProcessLock
  readonly trash: () => TrashFolder
  readonly watch: StoreWatch | undefined
  /** The watches on roots that are read beside the own folder, of those that can be watched. */
  readonly watches: ReadonlyMap<Root, RootWatch>
  /** What begins to index these in the background; to be cleared when the store is closed. */
  readonly indexing: ReturnType<typeof setTimeout> | undefined
}

/** How long after opening that is, so that the first calls have the machine to themselves, in ms. */
const INDEXING_DELAY_MS = 100

/**
 * Puts a store together: the own folder with its index, what is read beside it, and the way of a change, which is made in the file
 * first, then noted in the index, then told. Opens nothing yet.
 * @param mustBeOpen throws once the store is closed
 */
export function compose(
  options: ResolvedOptions,
  parts: StoreParts,
  tell: (problem: Problem) => void,
  mustBeOpen: () => void,
): Composition {
  const { fs = fileSystem, filesOnly = false } = parts
  const { directory, indexPath, keepIndex, readOnly, logger } = options
  const lockPath = indexPath === undefined ? join(directory, LOCK_FILE) : join(indexPath, "write.lock")
  const lock = new ProcessLock(lockPath, undefined, fs)
  const watching = options.watch && !filesOnly
  const ownWrites = watching ? newOwnWrites(fs) : undefined
  const feed = new ChangeFeed()
  let written: Writing | undefined
  const writing = (): Writing => {
    written ??= required(() => {
      const { makeWriting }: typeof import("./writing.ts") = require("./writing.ts")
      return makeWriting({ options, fs, filesOnly, own, lock, feed, ownWrites, mustBeOpen })
    })
    return written
  }
  const watched = Promise.withResolvers<void>()
  const indexFolder = indexFolderOf(options)
  const { maxRecordBytes, search, backgroundIndex, maxStaleness, cacheSize } = options
  // Reading makes nothing in a folder that is no store.
  const mayIndex = (): boolean => readOnly || keepIndex || indexPath !== undefined || isStore(fs, directory)
  const indexRoot = indexPath ?? directory
  const context = {
    indexRoot,
    mayIndex,
    maxRecordBytes,
    search,
    backgroundIndex,
    maxStaleness,
    cacheSize,
    logger,
    tell,
  }
  const own = new JsonRoot({
    ...context,
    directory,
    source: options.inDataFolder ? "opencode" : undefined,
    readOnly,
    fs,
    filesOnly,
    fields: options.fields,
    indexFolder,
    unwritten: {
      newest: (path) => written?.coalescer.newest(path),
      noteRead: (path, text) => written?.coalescer.noteRead(path, text),
    },
    before: watched.promise,
  })
  // Beside a store that need not be made their indexes go with the process, until somebody has made it.
  const isPrivate = ownMayBeMissing(options) && !mayIndex()
  const otherContext = isPrivate ? { ...context, mayIndex: () => true } : context
  const opened = otherPlaces(options, fs, filesOnly).map((place) =>
    place.open({
      ...otherContext,
      indexFolder: isPrivate ? undefined : otherIndexFolder(indexFolder, place.place),
    }),
  )
  const { fields } = options
  const hasFields = (root: Root): boolean => root instanceof JsonRoot && root.within.fields === fields
  const others = opened.map((root) => (!fields || hasFields(root) ? root : byReading(root)))
  for (const { place, upkeep } of others)
    if (!upkeep.isThere()) logger.warn(`There is no folder ${place} to be read too`)
  const roots = new Roots(own, others, mustBeOpen)
  const trash = lazy(() => {
    const { TrashFolder }: typeof import("./retention/trash.ts") = require("./retention/trash.ts")
    return new TrashFolder({
      files: own.files,
      lockPath,
      durability: options.durability,
      readOnly,
      mustBeOpen,
      publish: (changes) => writing().publish(changes),
      publishFolders: (places) => writing().publishFolders(places),
    })
  })
  const writer = new JsonWriter(own, () => writing().records)
  const watch = ownWrites ? watchOf(own, options, parts.watch, ownWrites, feed) : undefined
  watched.resolve(watch?.ready)
  const watches = new Map<Root, RootWatch>()
  for (const root of watching ? others : []) {
    const begun = root.watch?.((change) => feed.publish({ ...change, origin: root.place }))
    if (begun) watches.set(root, begun)
  }
  const indexing = watching && backgroundIndex ? indexLater(others, logger) : undefined
  return {
    fs,
    own,
    roots,
    context,
    all: [own, ...others],
    writer,
    writing,
    written: () => written,
    feed,
    lock,
    trash,
    watch,
    watches,
    indexing,
  }
}

/** Begins to index what is read beside the own folder: a store that is watched stays, and its first search need not wait for that. */
function indexLater(others: readonly Root[], logger: Logger): ReturnType<typeof setTimeout> {
  const timer = setTimeout(() => {
    for (const { place, texts } of others)
      texts.makeWholeLater().catch((error: unknown) => logger.warn(`${place} could not be indexed`, error))
  }, INDEXING_DELAY_MS)
  timer.unref()
  return timer
}

/** A root that knows nothing of declared fields, with them read. */
function byReading(root: Root): Root {
  const { fieldsByReading }: typeof import("./root/fields-by-reading.ts") =
    require("./root/fields-by-reading.ts")
  return fieldsByReading(root)
}

function newOwnWrites(fs: FileSystem): OwnWrites {
  const { OwnWrites }: typeof import("./watch/own-writes.ts") = require("./watch/own-writes.ts")
  return new OwnWrites(fs)
}

function watchOf(
  own: JsonRoot,
  { logger, backgroundIndex }: ResolvedOptions,
  watch: WatchFolder | undefined,
  ownWrites: OwnWrites,
  feed: ChangeFeed,
): StoreWatch {
  const { StoreWatch }: typeof import("./watch/store-watch.ts") = require("./watch/store-watch.ts")
  return new StoreWatch({
    within: own.within,
    watch,
    own: ownWrites,
    logger,
    indexedByOthers: backgroundIndex,
    publish: (change) => feed.publish(change),
    onIndexed: (whole) => {
      if (whole) own.indexing.noteSwept()
      own.indexing.nudge()
    },
    sessionOf: (messageID) => own.catalog.guessFolder("message", messageID),
  })
}
