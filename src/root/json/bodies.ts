import type { StoreErrorCode } from "../../errors.ts"
import { isStoreError, StoreError } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { isClosedToUs, placePath, recordPath, statPlace, statRecord } from "../../file/layout.ts"
import type { ReadResult } from "../../file/reader.ts"
import { faultError } from "../../file/reader.ts"
import { isSpelled } from "../../file/spelling.ts"
import type { JsonObject } from "../../record/extract.ts"
import { identify } from "../../record/identify.ts"
import { RECORD_SUFFIX } from "../../record/key.ts"
import type { CollectionKind, Place } from "../../record/kind.ts"
import { type Unseen, unseenError } from "../record-source.ts"
import { bodyOf, listedFolders, type RecordFiles, readAsked, readPresent } from "./file-catalog.ts"

/**
 * Reads a body for a listing; `undefined` if it cannot be read, which is reported and noted, so that the next listing reads it anew.
 * @throws StoreError `EXHAUSTED`
 */
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

/** Faults that the next listing notices by the stamp. */
const NOTICED: ReadonlySet<StoreErrorCode> = new Set(["NOT_FOUND", "TOO_LARGE"])

async function doubt(files: RecordFiles, place: Place, id: string, result: ReadResult): Promise<void> {
  if (!("fault" in result) || !NOTICED.has(result.fault.code)) await files.doubt(place, id)
}

/** Reads a body by its id; `undefined` if there is none. @throws StoreError if it cannot be read */
export async function getBody(files: RecordFiles, place: Place, id: string): Promise<JsonObject | undefined> {
  const path = recordPath(files.directory, place, id)
  if (!(await untilAdmitted(() => statPlace(files.fs, placePath(files.directory, place))))) {
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

/** Errors for what could not be looked at during a search for a record. */
export type Refusals = StoreError[]

/**
 * Whether something lies under exactly this name, readable or not. `false` if the folder cannot be looked into, which is reported or put
 * into `refusals`. @throws StoreError `EXHAUSTED`
 */
export function holds(files: RecordFiles, place: Place, id: string, refusals?: Refusals): boolean {
  const { fs, directory } = files
  try {
    // Most folders do not hold it, so the record is looked at before its folder, which may be a link.
    return (
      statRecord(fs, recordPath(directory, place, id)) !== undefined &&
      statPlace(fs, placePath(directory, place)) !== undefined &&
      isSpelled(fs, placePath(directory, place), id + RECORD_SUFFIX)
    )
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    // A link in a folder's place is not followed, so nothing lies there.
    if (error.code !== "NOT_A_FILE") note(files, error, refusals)
    return false
  }
}

/** As `folderNames`; a refusal is reported or put into `refusals`. @throws StoreError `EXHAUSTED` */
export function foldersToLookInto(
  files: RecordFiles,
  kind: CollectionKind,
  refusals?: Refusals,
): readonly string[] {
  try {
    return listedFolders(files, kind)
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    note(files, error, refusals)
    return []
  }
}

/** All places of a kind that hold a record with that id, in the order of their folders' names. Refusals are handled as in `holds`. */
export function placesOf(files: RecordFiles, kind: CollectionKind, id: string, refusals?: Refusals): Place[] {
  return foldersToLookInto(files, kind, refusals)
    .map((folder): Place => ({ kind, folder }))
    .filter((place) => holds(files, place, id, refusals))
}

function note(files: RecordFiles, error: StoreError, refusals: Refusals | undefined): void {
  if (refusals) refusals.push(error)
  else reportRefusals(files, [error])
}

/** Reports what could not be looked at during a search for a record. */
export function reportRefusals(files: RecordFiles, refusals: Refusals): void {
  for (const { path = files.directory, code, message } of refusals)
    files.problems.report({ path, code, message })
}

/**
 * The project to write a session to: the named one if the session lies there, else the first project where it lies; `undefined` if none.
 * @throws StoreError `UNREADABLE` if it may lie in a project that cannot be looked into, since a second copy could come of it; `EXHAUSTED`
 */
export function folderToWrite(files: RecordFiles, id: string, named: string | undefined): string | undefined {
  const refusals: Refusals = []
  if (named !== undefined && holds(files, { kind: "session", folder: named }, id, refusals)) return named
  const folder = placesOf(files, "session", id, refusals)[0]?.folder
  const all = placePath(files.directory, { kind: "session", folder: "" })
  // A project that is closed to us must not prevent new sessions. But if the folder of all projects cannot be read, nothing is written.
  const refusal = refusals.find((error) => error.path === all || !isClosedToUs(error))
  if (folder === undefined && refusal) throw unseenError(unseenOf(files, refusal))
  reportRefusals(files, refusals)
  return folder
}

/** A refusal in the form that the layers above use. */
export function unseenOf(files: RecordFiles, error: StoreError): Unseen {
  const { path = files.directory, code, message, cause } = error
  return { path: files.locate(path), code, message, cause, closed: isClosedToUs(error) }
}
