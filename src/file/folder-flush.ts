import { StoreError, systemCode } from "../errors.ts"
import { eachAtOnce } from "./at-once.ts"
import type { FileSystem } from "./system.ts"

/** Codes from file systems (FUSE, network) that cannot flush a folder, so there is nothing to wait for. */
const UNKNOWN = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "EBADF"])

/** Whether there was nothing to flush: on such a file system, or because the folder is gone with everything in it. */
function isNothing(error: unknown): boolean {
  const code = systemCode(error) ?? ""
  return UNKNOWN.has(code) || code === "ENOENT"
}

/** Waits until the names in a folder are on the disk, if its file system can flush folders. */
export async function flushFolder(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.flushDirectory(path)
  } catch (error) {
    if (!isNothing(error)) throw error
  }
}

/** As `flushFolder`, synchronously, for the end of the process. */
export function flushFolderNow(fs: FileSystem, path: string): void {
  try {
    fs.flushDirectorySync(path)
  } catch (error) {
    if (!isNothing(error)) throw error
  }
}

/**
 * Waits until the names in several folders are on the disk.
 * @throws StoreError `NOT_DURABLE` for the first that failed, after all have been tried
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

/** The error for a change that was made but could not be flushed. */
export function notDurable(path: string, cause: unknown): StoreError {
  const code = systemCode(cause) ?? "error"
  return new StoreError("NOT_DURABLE", `The change was made, but a power cut may undo it (${code})`, {
    path,
    cause,
    hint: "Do not apply it again. Check the disk: it could not save the names in a folder.",
  })
}
