import { join } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { checkFolders, isNamed, UNNAMED } from "../../file/layout.ts"
import { folderRefusal } from "../../file/refusal.ts"
import type { DirectoryEntry } from "../../file/system.ts"
import { type Key, keyPath, segmentFault, stemOfFile } from "../../record/key.ts"
import { compareText } from "../../record/order.ts"
import { isSyncCopy, SYNC_COPY } from "../../record/sync-copy.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** A folder that is being walked. */
interface Open {
  readonly prefix: Key
  /** The names that are left, the next one last. */
  readonly names: string[]
  readonly records: ReadonlySet<string>
  readonly folders: ReadonlySet<string>
}

/**
 * Yields the keys of a folder's records below a prefix, in the order of their segments. A folder that cannot be read is reported.
 * @throws StoreError `EXHAUSTED`; the signal's reason
 */
export async function* keysBelow(
  files: RecordFiles,
  prefix: Key,
  signal?: AbortSignal,
): AsyncGenerator<string[]> {
  const slice = new TimeSlice(signal)
  // The folders on the current path, the deepest last.
  const open: Open[] = [await openFolder(files, prefix)]
  for (let folder = open.at(-1); folder; folder = open.at(-1)) {
    const turn = slice.pass()
    if (turn) await turn
    const name = folder.names.pop()
    if (name === undefined) {
      open.pop()
      continue
    }
    const key = [...folder.prefix, name]
    if (folder.folders.has(name)) open.push(await openFolder(files, key))
    if (folder.records.has(name)) yield key
  }
}

/** Reads a folder. One that cannot be read is reported and counts as empty. @throws StoreError `EXHAUSTED` */
async function openFolder(files: RecordFiles, prefix: Key): Promise<Open> {
  try {
    return await untilAdmitted(() => look(files, prefix))
  } catch (error) {
    if (!(error instanceof StoreError) || isExhausted(error)) throw error
    const { path = join(files.directory, ...prefix), code, message } = error
    files.problems.report({ path, code, message })
    return { prefix, names: [], records: new Set(), folders: new Set() }
  }
}

/** @throws StoreError `UNREADABLE`, `NOT_A_FILE`, `EXHAUSTED` */
function look(files: RecordFiles, prefix: Key): Open {
  const { fs, directory } = files
  checkFolders(fs, directory, [...prefix, ""])
  const records = new Set<string>()
  const folders = new Set<string>()
  const path = join(directory, ...prefix)
  for (const { name, kind } of entriesOf(files, path)) {
    const id = stemOfFile(name)
    if (!name.startsWith(".") && !isNamed(fs, path, name))
      files.problems.report({ path: join(path, name), ...UNNAMED })
    else if (id !== undefined && kind === "file" && isSyncCopy(id))
      files.problems.report({ path: keyPath(directory, [...prefix, id]), ...SYNC_COPY })
    else if (id !== undefined && kind === "file") records.add(id)
    else if (
      segmentFault(name) === undefined &&
      (kind === "directory" || mayBeFolder(files, prefix, name, kind))
    )
      folders.add(name)
  }
  const names = [...records.union(folders)].sort(compareText).reverse()
  return { prefix, names, records, folders }
}

function entriesOf({ fs }: RecordFiles, path: string): readonly DirectoryEntry[] {
  try {
    return fs.readDirectory(path) ?? []
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    throw folderRefusal(path, error)
  }
}

/** Whether a link leads to a folder: only at the store's first level. One that cannot be followed counts, and listing it reports why. */
function mayBeFolder({ fs, directory }: RecordFiles, prefix: Key, name: string, kind: string): boolean {
  if (prefix.length > 0 || kind !== "link") return false
  try {
    return fs.stat(join(directory, name))?.kind === "directory"
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return true
  }
}
