import type { StoreErrorCode } from "../../errors.ts"
import { isStoreError, StoreError } from "../../errors.ts"
import { placePath, recordPath, statPlace, statRecord } from "../../file/layout.ts"
import type { ReadResult } from "../../file/reader.ts"
import { faultError } from "../../file/reader.ts"
import { isSpelled } from "../../file/spelling.ts"
import type { JsonObject } from "../../record/extract.ts"
import { identify } from "../../record/identify.ts"
import { RECORD_SUFFIX } from "../../record/key.ts"
import type { CollectionKind, Place } from "../../record/kind.ts"
import { bodyOf, folderNames, type RecordFiles, readAsked, readPresent } from "./file-catalog.ts"

/** A body for a listing; what cannot be read is reported, so that the next listing knows, and gives `undefined`. */
export async function readBody(
  files: RecordFiles,
  place: Place,
  id: string,
): Promise<JsonObject | undefined> {
  const path = recordPath(files.directory, place, id)
  const result = await readPresent(files, path)
  const body = bodyOf(files, path, result)
  if (body) return identify(body, place, id)
  await doubt(files, place, id, result)
  return undefined
}

/** What is gone or too large is noticed by its stamp. */
const NOTICED: ReadonlySet<StoreErrorCode> = new Set(["NOT_FOUND", "TOO_LARGE"])

async function doubt(files: RecordFiles, place: Place, id: string, result: ReadResult): Promise<void> {
  if (!("fault" in result) || !NOTICED.has(result.fault.code)) await files.doubt(place, id)
}

/** A body asked for by name: `undefined` where there is none. @throws StoreError where it cannot be read */
export async function getBody(files: RecordFiles, place: Place, id: string): Promise<JsonObject | undefined> {
  const path = recordPath(files.directory, place, id)
  if (!statPlace(files.fs, placePath(files.directory, place))) {
    files.unwritten.noteRead?.(path, undefined)
    return undefined
  }
  const result = await readAsked(files, path)
  const body = bodyOf(files, path, result)
  if (body) return identify(body, place, id)
  await doubt(files, place, id, result)
  if ("fault" in result) {
    if (result.fault.code === "NOT_FOUND") return undefined
    throw faultError(result.fault, files.locate(path))
  }
  const real = files.locate(path)
  throw new StoreError("CORRUPT", `The file's JSON is not an object: ${real}`, { path: real })
}

/** Tells whether something lies under that very name, readable or not. */
export function holds(files: RecordFiles, place: Place, id: string): boolean {
  const { fs, directory } = files
  try {
    // Most folders that are asked do not hold it, so the record is looked at first; its folder may still be a link.
    return (
      statRecord(fs, recordPath(directory, place, id)) !== undefined &&
      statPlace(fs, placePath(directory, place)) !== undefined &&
      isSpelled(fs, placePath(directory, place), id + RECORD_SUFFIX)
    )
  } catch (error) {
    // A folder that cannot be entered cannot be said to hold anything; listing it reports why.
    if (isStoreError(error)) return false
    throw error
  }
}

/** All places of a kind that hold a record of that id, in the order of their folders' names. */
export function placesOf(files: RecordFiles, kind: CollectionKind, id: string): Place[] {
  return folderNames(files, kind)
    .map((folder): Place => ({ kind, folder }))
    .filter((place) => holds(files, place, id))
}
