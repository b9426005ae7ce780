import { StoreError, systemCode } from "../errors.ts"
import { eachAtOnce } from "./at-once.ts"
import type { FileSystem } from "./system.ts"

/** A file system (FUSE, a network's) that does not know the flush of a folder: there is nothing to wait for. */
const UNKNOWN = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EBADF"])

/** Whether there was nothing to flush: not on such a file system, nor of a folder that went with what was in it. */
function isNothing(error: unknown): boolean {
  const code = systemCode(error) ?? ""
  return UNKNOWN.has(code) || code === "ENOENT"
}

/** Waits until the names in a folder are on the disk, as far as its file system knows of such a thing. */
export async function flushFolder(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.flushDirectory(path)
  } catch (error) {
    if (!isNothing(error)) throw error
  }
}

/** The same at the end of the process. */
export function flushFolderNow(fs: FileSystem, path: string): void {
  try {
    fs.flushDirectorySync(path)
  } catch (error) {
    if (!isNothing(error)) throw error
  }
}

/**
 * Waits until names that were changed in several folders are on the disk.
 * @throws StoreError `NOT_DURABLE` for the first that failed, when all have been tried
 */
export async function flushFolders(fs: FileSystem, folders: Iterable<string>): Promise<void> {
  let failed: StoreError | undefined
  await eachAtOnce(folders, async (folder) => {
    try {
      await flushFolder(fs, folder)
    } catch (error) {
      failed ??= notDurable(folder, error)
    }
  })
  if (failed) throw failed
}

/** The error for a change that was made, and that the system could not be made to keep. */
export function notDurable(path: string, cause: unknown): StoreError {
  const code = systemCode(cause) ?? "error"
  return new StoreError("NOT_DURABLE", `The change was made, but a power cut may undo it (${code})`, {
    path,
    cause,
    hint: "Do not apply it again. Check the disk: it could not save the names in a folder.",
  })
}
