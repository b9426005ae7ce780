import { join } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { checkFolders, isNamed, UNNAMED } from "../../file/layout.ts"
import { type Key, keyPath, segmentFault, stemOfFile } from "../../record/key.ts"
import { compareText } from "../../record/order.ts"
import { isSyncCopy, SYNC_COPY } from "../../record/sync-copy.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** Yields the keys of a folder's records below a prefix in the order of their segments; none where the prefix is missing. */
export async function* keysBelow(
  files: RecordFiles,
  prefix: Key,
  signal?: AbortSignal,
): AsyncGenerator<string[]> {
  const slice = new TimeSlice(signal)
  for (const key of walk(files, prefix)) {
    const turn = slice.pass()
    if (turn) await turn
    if (key) yield key
  }
}

/** Keys, and `undefined` after every folder that was looked at. */
function* walk(files: RecordFiles, prefix: Key): Generator<string[] | undefined> {
  const { fs, directory } = files
  const path = join(directory, ...prefix)
  try {
    checkFolders(fs, directory, [...prefix, ""])
    const records = new Set<string>()
    const folders = new Set<string>()
    for (const { name, kind } of fs.readDirectory(path) ?? []) {
      const id = stemOfFile(name)
      if (!name.startsWith(".") && !isNamed(fs, path, name))
        files.problems.report({ path: join(path, name), ...UNNAMED })
      else if (id !== undefined && kind === "file" && isSyncCopy(id))
        files.problems.report({ path: keyPath(directory, [...prefix, id]), ...SYNC_COPY })
      else if (id !== undefined && kind === "file") records.add(id)
      else if (
        segmentFault(name) === undefined &&
        (kind === "directory" || isFolderLink(files, prefix, name, kind))
      )
        folders.add(name)
    }
    yield undefined
    for (const name of [...records.union(folders)].sort(compareText)) {
      if (records.has(name)) yield [...prefix, name]
      if (folders.has(name)) yield* walk(files, [...prefix, name])
    }
  } catch (error) {
    report(files, path, error)
  }
}

/** Only the store's first level may be links to elsewhere. */
function isFolderLink(files: RecordFiles, prefix: Key, name: string, kind: string): boolean {
  const { fs, directory } = files
  return prefix.length === 0 && kind === "link" && fs.stat(join(directory, name))?.kind === "directory"
}

function report({ problems }: RecordFiles, path: string, error: unknown): void {
  if (error instanceof StoreError)
    problems.report({ path: error.path ?? path, code: error.code, message: error.message })
  else if (systemCode(error) !== undefined)
    problems.report({
      path,
      code: "UNREADABLE",
      message: `The folder cannot be read (${systemCode(error)})`,
    })
  else throw error
}
