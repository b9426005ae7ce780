import { join } from "node:path"
import { type Place, placePath, SESSION_SIDE_KINDS } from "../file/layout.ts"
import type { FileSystem } from "../file/system.ts"
import type { TimeSlice } from "../file/time-slice.ts"
import { idOfFile } from "../record/key.ts"
import { placesOf } from "../repository/bodies.ts"
import type { RecordFiles } from "../repository/file-catalog.ts"
import type { Manifest } from "./entry.ts"

/** Something that belongs to a session: a file, or a folder with all it holds, by its path below the store's folder. */
export type Belonging = readonly [kind: BelongingKind, ...names: string[]]
type BelongingKind = Place["kind"] | (typeof SESSION_SIDE_KINDS)[number]

/** Files and their bytes, and the youngest modification time among them, ms. */
export interface Extent {
  files: number
  bytes: number
  youngest: number
}

/** The session's own files, one in each project that holds it. */
export function sessionFiles(files: RecordFiles, id: string): Belonging[] {
  return placesOf(files, "session", id).map(({ folder }) => ["session", folder, `${id}.json`])
}

/** Everything else that goes with a session or an orphan: messages, side files; the parts are found through the messages. */
export function companions({ kind, id }: Pick<Manifest, "kind" | "id">): Belonging[] {
  if (kind === "parts") return [["part", id]]
  return [["message", id], ...SESSION_SIDE_KINDS.map((side): Belonging => [side, `${id}.json`])]
}

/** The names of the messages in a folder, readable or not; none where there is no such folder. */
export function messageNames(fs: FileSystem, folder: string): string[] {
  if (fs.lstat(folder)?.kind !== "directory") return []
  return (fs.readNames(folder) ?? []).flatMap((name) => idOfFile(name) ?? [])
}

/**
 * Adds up what a session, or an orphan, takes; nothing is read.
 * @param staysBehind tells of a message whose parts do not go with it
 */
export async function measure(
  files: RecordFiles,
  owner: Pick<Manifest, "kind" | "id">,
  slice: TimeSlice,
  staysBehind: (message: string) => boolean = () => false,
): Promise<Extent> {
  const extent: Extent = { files: 0, bytes: 0, youngest: 0 }
  const messages =
    owner.kind === "parts"
      ? []
      : messageNames(files.fs, placePath(files.directory, { kind: "message", folder: owner.id }))
  const paths: Belonging[] = [
    ...(owner.kind === "session" ? sessionFiles(files, owner.id) : []),
    ...companions(owner),
  ]
  for (const path of paths) await addTree(files.fs, join(files.directory, ...path), extent, slice)
  for (const message of messages)
    if (!staysBehind(message)) await addTree(files.fs, join(files.directory, "part", message), extent, slice)
  return extent
}

/** Adds up a file, or a folder with all it holds. */
export async function addTree(fs: FileSystem, path: string, extent: Extent, slice: TimeSlice): Promise<void> {
  await slice.pass()
  const stat = fs.lstat(path)
  if (!stat) return
  if (stat.kind === "directory") {
    for (const name of fs.readNames(path) ?? []) await addTree(fs, join(path, name), extent, slice)
    return
  }
  extent.files++
  extent.bytes += stat.size
  extent.youngest = Math.max(extent.youngest, Number(stat.mtimeNs / 1_000_000n))
}
