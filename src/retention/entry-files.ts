// Over 400 lines: how an entry's files go, come back and are dropped must agree step by step, after a kill at any of them.
import { join } from "node:path"
import { isDiskFull, isStoreError, StoreError, systemCode } from "../errors.ts"
import { createDraft, openUp } from "../file/access.ts"
import { flushFolders } from "../file/folder-flush.ts"
import { placePath, TRASH_FOLDER } from "../file/layout.ts"
import type { Release } from "../file/lock.ts"
import { ProcessLock } from "../file/lock.ts"
import { type Moved, makeFolder, moveTree } from "../file/move.ts"
import { otherSpelling } from "../file/spelling.ts"
import type { FileSystem } from "../file/system.ts"
import { isTempName, tempPath } from "../file/temp-file.ts"
import type { Change } from "../file/write-queue.ts"
import { type Key, keyPath } from "../record/key.ts"
import { COLLECTION_KINDS, type Place } from "../record/kind.ts"
import { holds } from "../root/json/bodies.ts"
import type { RecordFiles } from "../root/json/file-catalog.ts"
import type { SharedMessages } from "../root/json/shared-messages.ts"
import { TimeSlice } from "../time-slice.ts"
import { addTree, companions, type Extent, messageNames, noExtent, sessionFiles } from "./belongings.ts"
import {
  type Entry,
  type EntryState,
  encodeManifest,
  entryPath,
  type Manifest,
  manifestPath,
  newEntryName,
  OWNED_KINDS,
  type OwnedKind,
  roomFor,
  roomsHeld,
  STATES,
} from "./entry.ts"

/** What the trash needs of the store around it. */
export interface TrashContext {
  readonly files: RecordFiles
  /** The path of the store's write lock. */
  readonly lockPath: string
  readonly durability: "full" | "relaxed"
  readonly readOnly: boolean
  /** @throws StoreError `CLOSED` */
  mustBeOpen(): void
  /** Notes changed files in the index; never throws. */
  publish(changes: readonly Change[]): Promise<void>
  /** Makes the index's rows of folders equal to the folders; never throws. */
  publishFolders(places: readonly Place[]): Promise<void>
}

/** What filling an entry came to. */
export type FillOutcome =
  | { readonly outcome: "trashed" }
  /** It changed, or came back, since it was chosen: it stays. */
  | { readonly outcome: "changed" }
  /** Something could not be moved: everything of it is back where it was. */
  | { readonly outcome: "failed"; readonly error: StoreError }

/** Folders moved under one hold of the write lock. */
const AT_ONCE = 64

/** The files of single entries of the trash: how they get there, come back, and go. The caller holds the trash's lock. */
export class EntryFiles {
  readonly #context: TrashContext
  readonly #directory: string
  readonly #lock: ProcessLock

  constructor(context: TrashContext) {
    this.#context = context
    this.#directory = context.files.directory
    // One of its own, since a lock object admits one holder, and the write queue's may be held.
    this.#lock = new ProcessLock(context.lockPath, undefined, context.files.fs)
  }

  /** Makes an entry's folder and its manifest, before anything is moved; `folders` are to be flushed before, too. */
  async begin(known: Omit<Manifest, "removed">, folders: Set<string>): Promise<Entry> {
    const { fs } = this.#context.files
    const manifest: Manifest = { ...known, removed: Date.now() }
    const name = newEntryName(manifest.removed)
    const path = entryPath(this.#directory, name)
    try {
      makeFolder(fs, path, { folders, root: this.#directory })
      const temp = tempPath(path)
      const target = manifestPath(this.#directory, name, "moving")
      const draft = createDraft(fs, temp, target, encodeManifest(manifest))
      try {
        openUp(fs, draft)
        if (this.#context.durability === "full") await fs.flush(draft.descriptor)
      } finally {
        fs.close(draft.descriptor)
      }
      fs.rename(temp, target)
    } catch (error) {
      // On a full disk it gets no further. What is left of it would be listed by nobody.
      this.forgetEmpty(name)
      throw error
    }
    folders.add(path)
    return { name, state: "moving", manifest }
  }

  /**
   * Deletes everything of a session or orphan where it lies, for a disk too full to move it to the trash; the session's own file
   * last, so that what a kill leaves is still a session, or an orphan, and goes with the next prune. Tells whether it did.
   * @param isStill whether it is what was to be removed; asked under the write lock, just before
   * @param shared the messages whose parts stay while another session holds them
   */
  async destroyInPlace(
    owner: Pick<Manifest, "id" | "kind">,
    isStill: () => Promise<boolean>,
    shared: SharedMessages,
  ): Promise<boolean> {
    const { id, kind } = owner
    const { fs } = this.#context.files
    const slice = new TimeSlice()
    const messages =
      kind === "parts" ? [] : messageNames(fs, placePath(this.#directory, { kind: "message", folder: id }))
    const own = kind === "session" ? sessionFiles(this.#context.files, id) : []
    const gone = await this.#lockedIfRoom(async () => {
      if (!(await isStill())) return false
      for (const message of messages)
        if (!shared.isHeldBeside(id, message))
          await this.#removeTree(join(this.#directory, "part", message), slice)
      for (const path of [...companions(owner), ...own])
        await this.#removeTree(join(this.#directory, ...path), slice)
      return true
    })
    const folders = own.map(([, folder = ""]): Place => ({ kind: "session", folder }))
    const owned: Place = { kind: kind === "parts" ? "part" : "message", folder: id }
    await this.#context.publishFolders([
      ...folders,
      owned,
      ...messages.map((folder): Place => ({ kind: "part", folder })),
    ])
    return gone
  }

  /**
   * Moves everything of a session or orphan into its entry, the session's own file first.
   * @param isStill whether it is what was to be removed; asked under the write lock, just before
   * @param shared the messages whose parts stay while another session holds them
   */
  async fill(
    entry: Entry,
    isStill: () => Promise<boolean>,
    shared: SharedMessages,
    folders: Set<string>,
  ): Promise<FillOutcome> {
    const moved: Moved = { folders, left: [], root: this.#directory }
    const slice = new TimeSlice()
    try {
      if (await this.#moveOwnFiles(entry, isStill, moved, slice))
        await this.#moveParts(entry, shared, moved, slice)
      else if (this.isEmpty(entry.name)) {
        this.forgetEmpty(entry.name)
        return { outcome: "changed" }
      }
      // What was left half moved and has come back since: the entry is as whole as it will ever be.
      return { outcome: "trashed" }
    } catch (error) {
      const told = asStoreError(error)
      const { places } = await this.bringBack(entry.name, slice)
      await this.#context.publishFolders(places)
      return { outcome: "failed", error: told }
    }
  }

  /**
   * Moves back what an entry holds, the session's own file last, and removes the entry if nothing is left in it. What came back
   * and may not survive a power cut is told in `undurable`; the entry then stays, for the next call to finish.
   */
  async bringBack(
    name: string,
    slice: TimeSlice,
  ): Promise<{ left: string[]; places: Place[]; undurable: StoreError | undefined }> {
    const { fs } = this.#context.files
    const moved: Moved = { folders: new Set(), left: [], root: this.#directory }
    const places: Place[] = []
    for (const kind of OWNED_KINDS)
      for (const room of roomsHeld(fs, this.#directory, name, kind)) {
        const names = fs.readNames(room) ?? []
        if (names.length > 0) makeFolder(fs, join(this.#directory, kind), moved)
        for (let start = 0; start < names.length; start += AT_ONCE)
          await this.#locked(async () => {
            for (const child of names.slice(start, start + AT_ONCE))
              await moveTree(fs, join(room, child), join(this.#directory, kind, child), moved, slice)
          })
        const indexed = COLLECTION_KINDS.find((candidate) => candidate === kind)
        if (indexed) places.push(...names.map((folder) => ({ kind: indexed, folder })))
      }
    let undurable: StoreError | undefined
    try {
      await this.flush(moved.folders)
      this.forgetEmpty(name)
    } catch (error) {
      if (!isStoreError(error, "NOT_DURABLE")) throw error
      undurable = error
    }
    return { left: moved.left, places, undurable }
  }

  /** Deletes an entry, its manifest last. */
  async destroy(entry: Entry, slice: TimeSlice): Promise<void> {
    const { fs } = this.#context.files
    const path = entryPath(this.#directory, entry.name)
    if (entry.state !== "emptying") {
      this.advance(entry, "emptying")
      await this.flushBefore(new Set([path]))
    }
    for (const kind of OWNED_KINDS)
      for (const room of roomsHeld(fs, this.#directory, entry.name, kind)) await this.#removeTree(room, slice)
    this.forgetEmpty(entry.name)
    await this.flush(new Set([join(this.#directory, TRASH_FOLDER)]))
  }

  advance(entry: Entry, state: EntryState): void {
    this.#context.files.fs.rename(
      manifestPath(this.#directory, entry.name, entry.state),
      manifestPath(this.#directory, entry.name, state),
    )
  }

  /** Removes the folder of an entry that holds nothing but its manifest; what is not of the trash's making stays in it. */
  forgetEmpty(name: string): void {
    if (!this.isEmpty(name)) return
    const { fs } = this.#context.files
    for (const kind of OWNED_KINDS)
      for (const room of roomsHeld(fs, this.#directory, name, kind)) removeHollow(fs, room)
    const path = entryPath(this.#directory, name)
    const manifests = STATES.map((state) => `${state}.json`)
    for (const file of fs.readNames(path) ?? [])
      if (manifests.includes(file) || isTempName(file)) fs.removeFile(join(path, file))
    fs.removeEmptyDirectory(path)
  }

  /** Whether an entry holds no file of a session any more, or not yet. */
  isEmpty(name: string): boolean {
    const { fs } = this.#context.files
    return OWNED_KINDS.flatMap((kind) => roomsHeld(fs, this.#directory, name, kind)).every((room) =>
      isHollow(fs, room),
    )
  }

  /** Adds up what an entry holds. */
  async extent(name: string, slice: TimeSlice): Promise<Extent> {
    const { fs } = this.#context.files
    const extent = noExtent()
    for (const kind of OWNED_KINDS)
      for (const room of roomsHeld(fs, this.#directory, name, kind)) await addTree(fs, room, extent, slice)
    return extent
  }

  /** Waits until the names in folders are on the disk. @throws StoreError `NOT_DURABLE` */
  async flush(folders: Set<string>): Promise<void> {
    if (this.#context.durability === "full") await flushFolders(this.#context.files.fs, folders)
    folders.clear()
  }

  /** The same before anything of a session is moved or deleted. @throws StoreError `WRITE_FAILED` */
  async flushBefore(folders: Set<string>): Promise<void> {
    try {
      await this.flush(folders)
    } catch (error) {
      if (!isStoreError(error, "NOT_DURABLE")) throw error
      throw asStoreError(error.cause)
    }
  }

  #moveOwnFiles(
    { name, manifest }: Entry,
    isStill: () => Promise<boolean>,
    moved: Moved,
    slice: TimeSlice,
  ): Promise<boolean> {
    const { id, kind } = manifest
    return this.#locked(async () => {
      if (!(await isStill())) return false
      const paths = kind === "session" ? sessionFiles(this.#context.files, id) : []
      // All in one hold: in the next one there may be a session of that id again.
      for (const path of [...paths, ...companions(manifest)]) await this.#move(name, path, moved, slice)
      const keys = paths.map(([, folder = ""]): Key => ["session", folder, id])
      await this.#context.publish(
        keys.map((key) => ({ key, path: keyPath(this.#directory, key), content: null })),
      )
      return true
    })
  }

  async #moveParts(
    { name, manifest }: Entry,
    shared: SharedMessages,
    moved: Moved,
    slice: TimeSlice,
  ): Promise<void> {
    const { id, kind } = manifest
    await this.#context.publishFolders([{ kind: kind === "parts" ? "part" : "message", folder: id }])
    // By the names in the trash: after a kill the messages are there already.
    const { files } = this.#context
    const messages = roomsHeld(files.fs, this.#directory, name, "message").flatMap((room) =>
      kind === "parts" ? [] : messageNames(files.fs, join(room, id)),
    )
    const isWanted = (message: string): boolean =>
      // One that has come back meanwhile has its parts where they are.
      shared.isHeldBeside(id, message) || holds(files, { kind: "message", folder: id }, message)
    for (let start = 0; start < messages.length; start += AT_ONCE) {
      const group = messages.slice(start, start + AT_ONCE)
      await this.#locked(async () => {
        for (const message of group)
          if (!isWanted(message)) await this.#move(name, ["part", message], moved, slice)
      })
      await this.#context.publishFolders(group.map((folder) => ({ kind: "part", folder })))
    }
  }

  async #move(
    name: string,
    [kind, ...names]: readonly [OwnedKind, ...string[]],
    moved: Moved,
    slice: TimeSlice,
  ): Promise<void> {
    const { fs } = this.#context.files
    // What has another name is another's, though the file system finds it by this one.
    if (otherSpelling(fs, this.#directory, [kind, ...names])) return
    const to = join(roomFor(fs, this.#directory, name, kind), ...names)
    await moveTree(fs, join(this.#directory, kind, ...names), to, moved, slice)
  }

  async #removeTree(path: string, slice: TimeSlice): Promise<void> {
    await slice.pass()
    const { fs } = this.#context.files
    if (fs.lstat(path)?.kind !== "directory") {
      fs.removeFile(path)
      return
    }
    for (const name of fs.readNames(path) ?? []) await this.#removeTree(join(path, name), slice)
    fs.removeEmptyDirectory(path)
  }

  /** Gives up what it has open; to be called before the trash's lock is released. */
  close(): void {
    this.#lock.close()
  }

  /** As `#locked`, for what gives a full disk room; where the lock's file cannot be made nobody else has it either. */
  async #lockedIfRoom<T>(work: () => Promise<T>): Promise<T> {
    const release = await orNoRoom(this.#lock.acquire())
    try {
      return await work()
    } finally {
      release?.()
    }
  }

  /** Runs work under the store's write lock. The trash's lock sees to it that there is one holder at a time. */
  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.#lock.acquire()
    try {
      return await work()
    } finally {
      release()
    }
  }
}

/** Whether there is no file below: a killed process may have made the folders for what it did not move any more. */
function isHollow(fs: FileSystem, path: string): boolean {
  return (fs.readDirectory(path) ?? []).every(
    ({ name, kind }) => kind === "directory" && isHollow(fs, join(path, name)),
  )
}

function removeHollow(fs: FileSystem, path: string): void {
  for (const { name, kind } of fs.readDirectory(path) ?? [])
    if (kind === "directory") removeHollow(fs, join(path, name))
  fs.removeEmptyDirectory(path)
}

/**
 * Runs work while holding a lock that processes share; `fs` makes its folder.
 * @param root as for `ProcessLock`
 * @param givesRoom whether it also runs where the disk is too full to make the lock's file: nobody else has it then
 * @throws StoreError `LOCKED`, `WRITE_FAILED`
 */
export async function withLock<T>(
  path: string,
  root: string,
  fs: FileSystem,
  givesRoom: boolean,
  work: () => Promise<T>,
): Promise<T> {
  const lock = new ProcessLock(path, root, fs)
  try {
    const release = givesRoom ? await orNoRoom(lock.acquire()) : await lock.acquire()
    try {
      return await work()
    } finally {
      release?.()
    }
  } finally {
    lock.close()
  }
}

async function orNoRoom(acquired: Promise<Release>): Promise<Release | undefined> {
  try {
    return await acquired
  } catch (error) {
    if (!isDiskFull(error)) throw error
    return undefined
  }
}

/** What the system refused, as an error of ours; anything else is thrown as it is. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const code = systemCode(error)
  if (code === undefined) throw error
  const path =
    error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : undefined
  return new StoreError("WRITE_FAILED", `A file cannot be moved or deleted (${code})`, {
    path,
    cause: error,
    hint: isDiskFull(error)
      ? "The disk is full. To move a session to the trash takes a little room; --purge and `trash empty` take none."
      : "Everything is in the store or in its trash. Check that both can be written.",
  })
}
