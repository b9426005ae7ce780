import { join } from "node:path"
import { askSystem, placePath } from "../file/layout.ts"
import type { FileStat, FileSystem } from "../file/system.ts"
import { idOfFile } from "../record/key.ts"
import { type Place, SESSION_SIDE_KINDS } from "../record/kind.ts"
import { placesOf } from "../root/json/bodies.ts"
import type { RecordFiles } from "../root/json/file-catalog.ts"
import type { TimeSlice } from "../time-slice.ts"
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

/** What a session or an orphan takes, and how to tell whether that is still so. */
export interface Measured extends Extent {
  /** An opaque text that differs whenever a file of it does: one more, one less, or one with another stamp. */
  readonly version: string
}

export function noExtent(): Extent {
  return { files: 0, bytes: 0, youngest: 0 }
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

/** The names of the messages in a folder, readable or not; none where there is no such folder. @throws StoreError `UNREADABLE` */
export function messageNames(fs: FileSystem, folder: string): string[] {
  return askSystem(folder, () =>
    fs.lstat(folder)?.kind === "directory" ? (fs.readNames(folder) ?? []) : [],
  ).flatMap((name) => idOfFile(name) ?? [])
}

/**
 * Adds up what goes with a session, or an orphan; nothing is read.
 * @param staysBehind tells of a message whose parts do not go with it; they count for the version all the same
 * @throws StoreError `UNREADABLE` where not all of it can be looked at
 */
export async function measure(
  files: RecordFiles,
  owner: Pick<Manifest, "kind" | "id">,
  slice: TimeSlice,
  staysBehind: (message: string) => boolean = () => false,
): Promise<Measured> {
  const { fs, directory } = files
  const going = noExtent()
  const staying = noExtent()
  let stamps = 0n
  const note = (path: string, stat: FileStat): void => {
    // Added up, since a system may give the names of a folder in another order the next time.
    stamps += BigInt(
      Bun.hash(
        `${path.slice(directory.length)} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.inode} ${stat.size} ${stat.kind}`,
      ),
    )
  }
  const messages =
    owner.kind === "parts"
      ? []
      : messageNames(fs, placePath(directory, { kind: "message", folder: owner.id }))
  const paths: Belonging[] = [
    ...(owner.kind === "session" ? sessionFiles(files, owner.id) : []),
    ...companions(owner),
  ]
  for (const path of paths) await addTree(fs, join(directory, ...path), going, slice, note)
  for (const message of messages)
    await addTree(fs, join(directory, "part", message), staysBehind(message) ? staying : going, slice, note)
  const version = `${going.files + staying.files}-${BigInt.asUintN(64, stamps).toString(36)}`
  return { ...going, version }
}

/** Adds up a file, or a folder with all it holds. @throws StoreError `UNREADABLE` */
export async function addTree(
  fs: FileSystem,
  path: string,
  extent: Extent,
  slice: TimeSlice,
  note?: (path: string, stat: FileStat) => void,
): Promise<void> {
  await slice.pass()
  const stat = askSystem(path, () => fs.lstat(path))
  if (!stat) return
  if (stat.kind === "directory") {
    for (const name of askSystem(path, () => fs.readNames(path)) ?? [])
      await addTree(fs, join(path, name), extent, slice, note)
    return
  }
  note?.(path, stat)
  extent.files++
  extent.bytes += stat.size
  extent.youngest = Math.max(extent.youngest, Number(stat.mtimeNs / 1_000_000n))
}
