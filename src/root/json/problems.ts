import { isStoreError } from "../../errors.ts"
import { isExhausted, untilAdmitted } from "../../exhaustion.ts"
import { type Listing, listFolders, listRecords, placePath, UNNAMED } from "../../file/layout.ts"
import { faultError, type ReadResult, readRecord } from "../../file/reader.ts"
import { isJsonObject } from "../../record/extract.ts"
import { keyPath } from "../../record/key.ts"
import { COLLECTION_KINDS, PLAIN_KINDS } from "../../record/kind.ts"
import { SYNC_COPY } from "../../record/sync-copy.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Problem } from "../problem-log.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** Kinds whose files hold arrays. All other kinds hold an object. */
const ARRAY_KINDS: ReadonlySet<string> = new Set(["todo", "session_diff", "permission"])

/** Yields the plain files (projects, todos, diffs, permissions) that cannot be read, by kind and id. */
export async function* plainFileProblems(files: RecordFiles, signal?: AbortSignal): AsyncGenerator<Problem> {
  const slice = new TimeSlice(signal)
  for (const kind of PLAIN_KINDS) yield* folderProblems(files, [kind], slice)
}

/** Yields the sessions, messages and parts that cannot be read, by reading every file, for when the index cannot tell. */
export async function* scanProblems(files: RecordFiles, signal?: AbortSignal): AsyncGenerator<Problem> {
  const slice = new TimeSlice(signal)
  for (const kind of COLLECTION_KINDS) {
    const path = placePath(files.directory, { kind, folder: "" })
    const { listing, problem } = await listOrReport(path, () => listFolders(files.fs, path))
    if (problem) yield problem
    yield* unnamedIn(path, listing)
    for (const folder of listing.odd)
      yield {
        path: placePath(files.directory, { kind, folder }),
        code: "NOT_A_FILE",
        message: "A link lies where a folder of records should be",
      }
    for (const folder of listing.ids) yield* folderProblems(files, [kind, folder], slice)
  }
}

/** Yields names that are not UTF-8 among sessions, messages and parts. The index cannot have rows for them. */
export async function* unnamedRecords(
  { fs, directory }: RecordFiles,
  signal?: AbortSignal,
): AsyncGenerator<Problem> {
  const slice = new TimeSlice(signal)
  for (const kind of COLLECTION_KINDS) {
    const above = placePath(directory, { kind, folder: "" })
    const { listing: folders } = await listOrReport(above, () => listFolders(fs, above))
    yield* unnamedIn(above, folders)
    for (const folder of folders.ids) {
      const turn = slice.pass()
      if (turn) await turn
      const path = placePath(directory, { kind, folder })
      yield* unnamedIn(path, (await listOrReport(path, () => listRecords(fs, path))).listing)
    }
  }
}

function* unnamedIn(path: string, { unnamed }: Listing): Generator<Problem> {
  for (const name of unnamed) yield { path: `${path}/${name}`, ...UNNAMED }
}

async function* folderProblems(
  files: RecordFiles,
  folder: string[],
  slice: TimeSlice,
): AsyncGenerator<Problem> {
  const { fs, directory, maxRecordBytes } = files
  const path = keyPath(directory, folder).slice(0, -".json".length)
  const { listing, problem } = await listOrReport(path, () => listRecords(fs, path))
  if (problem) yield problem
  yield* unnamedIn(path, listing)
  for (const id of [...listing.ids, ...listing.odd]) {
    await slice.pass()
    const file = keyPath(directory, [...folder, id])
    const result = await readRecord(fs, file, maxRecordBytes)
    if ("fault" in result && result.fault.code === "EXHAUSTED") throw faultError(result.fault, file)
    const found = problemOf(result, !ARRAY_KINDS.has(folder[0] ?? ""))
    if (found) yield { path: file, ...found }
  }
  for (const name of listing.copies) yield { path: keyPath(directory, [...folder, name]), ...SYNC_COPY }
}

function problemOf(result: ReadResult, objectWanted: boolean): Omit<Problem, "path"> | undefined {
  if ("fault" in result) {
    const { code, message } = result.fault
    return code === "NOT_FOUND" ? undefined : { code, message }
  }
  if (!objectWanted || isJsonObject(result.record.value)) return undefined
  return { code: "CORRUPT", message: "The file's JSON is not an object" }
}

async function listOrReport(
  path: string,
  list: () => Listing,
): Promise<{ listing: Listing; problem?: Problem }> {
  try {
    return { listing: await untilAdmitted(list) }
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    const problem = { path: error.path ?? path, code: error.code, message: error.message }
    return { listing: { ids: [], odd: [], copies: [], hidden: [], unnamed: [] }, problem }
  }
}
