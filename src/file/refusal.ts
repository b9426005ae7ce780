import { dirname } from "node:path"
import { StoreError, systemCode } from "../errors.ts"
import { EXHAUSTED_HINT, isForTheMoment } from "../exhaustion.ts"
import { type FileSystem, withOpenFile } from "./system.ts"

/**
 * The code for a record that the system refused. It is `EXHAUSTED` only if the system refuses the record's folder too, and so
 * everything; otherwise something is wrong with the record itself.
 */
export function refusalCode(fs: FileSystem, path: string, cause: unknown): "EXHAUSTED" | "UNREADABLE" {
  if (!isForTheMoment(cause)) return "UNREADABLE"
  const folder = dirname(path)
  try {
    fs.lstat(folder)
    withOpenFile(fs, folder, () => undefined)
    return "UNREADABLE"
  } catch (error) {
    return isForTheMoment(error) ? "EXHAUSTED" : "UNREADABLE"
  }
}

/** The error for a folder that the system refused to read. */
export function folderRefusal(path: string, cause: unknown): StoreError {
  const message = `The folder cannot be read (${systemCode(cause) ?? "error"})`
  return isForTheMoment(cause)
    ? new StoreError("EXHAUSTED", message, { path, cause, hint: EXHAUSTED_HINT })
    : new StoreError("UNREADABLE", message, { path, cause })
}
