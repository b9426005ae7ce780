import type { Statements } from "../database/statements.ts"
import type { Place } from "../file/layout.ts"
import type { Fault } from "../file/reader.ts"
import type { Stamp } from "../file/stamp.ts"
import { isJsonObject, type JsonObject, messageFields, partFields, sessionFields } from "../record/extract.ts"

/** A row to be put: which record, of which version of its file, and what was read. */
export interface Observation {
  readonly id: string
  readonly stamp: Stamp | null
  readonly size: number
  readonly result: { readonly body: JsonObject } | { readonly fault: Fault }
}

/** What the columns of a record's row are to hold, by its content alone. */
export function columnsOf({ kind, folder }: Place, result: Observation["result"]) {
  const { fault, body } = "fault" in result ? { ...result, body: {} } : { ...result, fault: undefined }
  const problem = { problem: fault?.code ?? null, problemMessage: fault?.message ?? null }
  if (kind === "message") return { ...problem, ...messageFields(body) }
  if (kind === "part") return { ...problem, ...partFields(body) }
  const { parentID: parent, directory: worktree, ...fields } = sessionFields(body)
  return { ...problem, ...fields, parent, worktree, project: folder }
}

/** Puts an observed record into its table: its fields, or what is wrong with it. */
export function putObservation(
  statements: Statements,
  place: Place,
  directory: number,
  { id, stamp, size, result }: Observation,
): void {
  statements[place.kind].put({ directory, id, stamp, size, ...columnsOf(place, result) })
}

/**
 * Brings a row up to date with a file that this process just wrote or removed. Its stamp stays unknown until the file
 * is read back, and the folder's stamp is left alone: someone else may have changed it at the same moment.
 * @param value what was written, `undefined` for a removal
 */
export function putOwnWrite(
  statements: Statements,
  place: Place,
  id: string,
  written: { readonly value: unknown; readonly text: string } | undefined,
): void {
  const row = statements.directories.find(place)
  if (!row && !written) return
  const directory = row?.id ?? statements.directories.create(place)
  if (written)
    putObservation(statements, place, directory, {
      id,
      stamp: null,
      size: Buffer.byteLength(written.text),
      result: isJsonObject(written.value)
        ? { body: written.value }
        : { fault: { code: "CORRUPT", message: "The file's JSON is not an object" } },
    })
  else statements[place.kind].remove(directory, id)
  statements.directories.touch(directory)
}
