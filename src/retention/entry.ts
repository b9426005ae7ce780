import { dirname, join } from "node:path"
import { StoreError, systemCode } from "../errors.ts"
import { TRASH_FOLDER } from "../file/layout.ts"
import { readRecord } from "../file/reader.ts"
import type { FileSystem } from "../file/system.ts"
import { isJsonObject } from "../record/extract.ts"
import { segmentFault } from "../record/key.ts"
import { SESSION_SIDE_KINDS } from "../record/kind.ts"
import { compareText } from "../record/order.ts"

/**
 * What became of an entry, kept as the name of its manifest, so that each step from one to the next is one rename:
 * - `moving`: it is being filled; whoever finds it so after a kill fills it up.
 * - `trashed`: it is whole.
 * - `emptying`: it is being deleted; whoever finds it so deletes the rest.
 */
export const STATES = ["moving", "trashed", "emptying"] as const
export type EntryState = (typeof STATES)[number]

/** The kinds a session's records are of, in the order in which they are brought back: the session's own file last. */
export const OWNED_KINDS = ["part", "message", ...SESSION_SIDE_KINDS, "session"] as const
export type OwnedKind = (typeof OWNED_KINDS)[number]

/** What an entry of the trash says of itself. */
export interface Manifest {
  /** A session's id; of orphans the id of the session or message that has no file. */
  readonly id: string
  /** A session, what is left of one that has no file, or the parts of a message that has none. */
  readonly kind: "session" | "remains" | "parts"
  readonly project: string | null
  readonly title: string | null
  /** When the session was last used, ms; of orphans the youngest modification time. */
  readonly updated: number
  /** When it was put into the trash, ms. */
  readonly removed: number
  readonly files: number
  readonly bytes: number
}

/** One entry of the trash. */
export interface Entry {
  /** Its folder's name. */
  readonly name: string
  readonly state: EntryState
  readonly manifest: Manifest
}

const MAX_MANIFEST_BYTES = 1024 * 1024
const VERSION = 1

/** A new name for an entry; those made later sort behind those made before. */
export function newEntryName(now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:.]/g, "")
  return `${time}-${Math.random().toString(36).slice(2, 10)}`
}

export function entryPath(directory: string, name: string): string {
  return join(directory, TRASH_FOLDER, name)
}

export function manifestPath(directory: string, name: string, state: EntryState): string {
  return join(entryPath(directory, name), `${state}.json`)
}

/** Where an entry keeps records of a kind: in its own folder, or where the kind's folder leads to another device, there. */
export function roomsOf(directory: string, name: string, kind: OwnedKind): readonly [string, string] {
  return [join(entryPath(directory, name), kind), join(directory, kind, TRASH_FOLDER, name)]
}

/** Those rooms that are there. A link in place of one is not ours, and would lead out of the store. */
export function roomsHeld(fs: FileSystem, directory: string, name: string, kind: OwnedKind): string[] {
  const isFolder = (path: string): boolean => fs.lstat(path)?.kind === "directory"
  return roomsOf(directory, name, kind).filter((room) => isFolder(dirname(room)) && isFolder(room))
}

/** The room that records of a kind can be moved into by a rename. */
export function roomFor(fs: FileSystem, directory: string, name: string, kind: OwnedKind): string {
  const [inside, beside] = roomsOf(directory, name, kind)
  const device = fs.stat(join(directory, kind))?.device
  return device === undefined || device === fs.stat(directory)?.device ? inside : beside
}

/** The text of a manifest. */
export function encodeManifest(manifest: Manifest): string {
  return JSON.stringify({ version: VERSION, ...manifest }, null, 2)
}

/** Reads an entry; `undefined` for a folder that has no manifest of ours, which was killed before it moved anything. */
export async function readEntry(fs: FileSystem, directory: string, name: string): Promise<Entry | undefined> {
  for (const state of STATES) {
    const path = manifestPath(directory, name, state)
    const result = await readRecord(fs, path, MAX_MANIFEST_BYTES)
    if ("record" in result) return { name, state, manifest: toManifest(result.record.value, path) }
    if (result.fault.code !== "NOT_FOUND")
      throw new StoreError(
        result.fault.code,
        `An entry of the trash cannot be read: ${result.fault.message}: ${path}`,
        {
          path,
          hint: "Its records are beside it: move them back by hand, or delete the entry's folder.",
        },
      )
  }
  return undefined
}

/** The names of all entries, those put in first first. @throws StoreError `UNREADABLE` */
export function entryNames(fs: FileSystem, directory: string): string[] {
  const path = join(directory, TRASH_FOLDER)
  let entries: ReturnType<FileSystem["readDirectory"]>
  try {
    entries = fs.readDirectory(path)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === undefined) throw cause
    throw new StoreError("UNREADABLE", `The trash cannot be read (${code}): ${path}`, { path, cause })
  }
  return (entries ?? [])
    .filter(({ kind }) => kind === "directory")
    .map(({ name }) => name)
    .sort(compareText)
}

function toManifest(value: unknown, path: string): Manifest {
  const body = isJsonObject(value) ? value : {}
  const { version, id, kind, project, title, updated, removed, files, bytes } = body
  if (
    version !== VERSION ||
    typeof id !== "string" ||
    // It becomes part of paths: one from a hand-made manifest must not lead out of the store.
    segmentFault(id) !== undefined ||
    (kind !== "session" && kind !== "remains" && kind !== "parts")
  )
    throw new StoreError("CORRUPT", `Not a manifest of the trash: ${path}`, { path })
  const number = (field: unknown): number => (typeof field === "number" ? field : 0)
  const text = (field: unknown): string | null => (typeof field === "string" ? field : null)
  return {
    id,
    kind,
    project: text(project),
    title: text(title),
    updated: number(updated),
    removed: number(removed),
    files: number(files),
    bytes: number(bytes),
  }
}
