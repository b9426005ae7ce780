import { StoreError } from "../../errors.ts"
import { placePath, recordPath } from "../../file/layout.ts"
import { faultError, type ReadResult, readRecord } from "../../file/reader.ts"
import { checkSpelling, isSameFile } from "../../file/spelling.ts"
import { isJsonObject, type JsonObject } from "../../record/extract.ts"
import { identify } from "../../record/identify.ts"
import type { Key } from "../../record/key.ts"
import type { Place } from "../../record/kind.ts"
import type { RecordFiles } from "./file-catalog.ts"
import type { RecordWriter } from "./record-writer.ts"

const MAX_TRIES = 3

/**
 * Moves a session's own file to another project: writes it there, with the new project's id in it, and then removes the old file, unless
 * a program that does not use our lock has changed it meanwhile. After a kill in between the session lies in both projects, and a second
 * call finishes the move.
 * @param writer a writer that holds the write lock
 * @param from where the session lies
 * @returns whether it was moved; not if both projects' names lead to one folder
 * @throws StoreError `CONFLICT` if another version lies in the new project; `CORRUPT`, `NOT_FOUND`, …
 */
export async function relocate(
  files: RecordFiles,
  writer: RecordWriter,
  id: string,
  from: Place,
  to: string,
): Promise<boolean> {
  const target: Key = ["session", to, id]
  checkSpelling(files.fs, files.directory, target)
  if (isOneFolder(files, from, { kind: "session", folder: to })) return false
  let written: JsonObject | undefined
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const original = await readObject(files, from, id)
    const body = { ...original, projectID: to }
    const isFree = (current: ReadResult): boolean =>
      isAbsent(current) || [body, written].some((known) => known && holdsSame(current, target, known))
    let free = true
    await writer.writeIf(target, body, (current) => {
      free = isFree(current)
      return free
    })
    if (!free)
      throw new StoreError("CONFLICT", `The project ${to} holds another version of the session ${id}`, {
        path: recordPath(files.directory, { kind: "session", folder: to }, id),
        hint: "Compare both files, and remove the one you do not want.",
      })
    written = body
    let changed = false
    await writer.remove(["session", from.folder, id], (current) => {
      changed =
        !isAbsent(current) && !("record" in current && Bun.deepEquals(current.record.value, original, true))
      return changed || isOneFile(files, from, to, id)
    })
    if (!changed) return true
  }
  throw new StoreError("CONFLICT", `The session ${id} went on changing while it was moved`, {
    path: recordPath(files.directory, from, id),
    hint: "It is in both projects now; move it again when nobody writes to it.",
  })
}

function isOneFolder({ fs, directory }: RecordFiles, a: Place, b: Place): boolean {
  return isSameFile(fs.lstat(placePath(directory, a)), fs.lstat(placePath(directory, b)))
}

/** Whether both paths are one file, so that removing the old one would remove what was just written. */
function isOneFile({ fs, directory }: RecordFiles, from: Place, to: string, id: string): boolean {
  const target = recordPath(directory, { ...from, folder: to }, id)
  return isSameFile(fs.lstat(recordPath(directory, from, id)), fs.lstat(target))
}

function isAbsent(current: ReadResult): boolean {
  return "fault" in current && current.fault.code === "NOT_FOUND"
}

function holdsSame(current: ReadResult, [, folder = "", id = ""]: Key, body: JsonObject): boolean {
  if ("fault" in current || !isJsonObject(current.record.value)) return false
  return Bun.deepEquals(identify(current.record.value, { kind: "session", folder }, id), body, true)
}

async function readObject(files: RecordFiles, place: Place, id: string): Promise<JsonObject> {
  const path = recordPath(files.directory, place, id)
  const result = await readRecord(files.fs, path, files.maxRecordBytes)
  if ("fault" in result) throw faultError(result.fault, path)
  if (isJsonObject(result.record.value) && result.record.faithful) return result.record.value
  throw new StoreError("CORRUPT", `The file cannot be written anew without losing something: ${path}`, {
    path,
  })
}
