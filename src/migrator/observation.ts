import type { Statements } from "../database/statements.ts"
import type { Fault } from "../file/reader.ts"
import type { Stamp } from "../file/stamp.ts"
import { isJsonObject, type JsonObject, messageFields, partFields, sessionFields } from "../record/extract.ts"
import type { DeclaredFields } from "../record/fields.ts"
import { fold } from "../record/fold.ts"
import type { CollectionKind, Place } from "../record/kind.ts"

/** A row to be put: which record, of which version of its file, and what its columns are to hold. */
export interface Observation {
  readonly id: string
  readonly stamp: Stamp | null
  readonly size: number
  readonly columns: Columns
  /** Of a message: that it has no texts of its own. By default that is not known. */
  readonly isBare?: boolean
}

/** Longer texts of sessions are not kept in their rows, in UTF-16 units; most are of some hundreds. */
const KEPT_LENGTH = 4_096

/** What the columns of a record's row are to hold, by its content alone. */
export type Columns = ReturnType<typeof columnsOf>

/**
 * The columns for what was read of a record.
 * @param declared whose values are wanted of a session, for `session_fields`; one that cannot be read has none
 */
export function columnsOf(
  { kind, folder }: Place,
  result: { readonly body: JsonObject; readonly text?: string } | { readonly fault: Fault },
  declared?: DeclaredFields,
) {
  const body = "fault" in result ? {} : result.body
  const fault = "fault" in result ? result.fault : undefined
  const problem = { problem: fault?.code ?? null, problemMessage: fault?.message ?? null }
  if (kind === "message") return { ...problem, ...messageFields(body) }
  if (kind === "part") return { ...problem, ...partFields(body) }
  const { parentID: parent, directory: worktree, ...fields } = sessionFields(body)
  const folded = fields.title === null ? null : fold(fields.title)
  const text =
    "text" in result && result.text !== undefined && result.text.length <= KEPT_LENGTH ? result.text : null
  const columns = { ...problem, ...fields, folded, parent, worktree, project: folder, body: text }
  return declared && !fault
    ? { ...columns, fields: declared.mark, values: declared.valuesOf(body) }
    : { ...columns, fields: null }
}

/**
 * A number that is new with every change, so that a text read before one is not taken for the text after it: an even one for a message
 * that is known to have no texts of its own, otherwise an odd one.
 */
export function pendingMark(isBare = false): number {
  const even = 2 + 2 * Math.floor(Math.random() * 0x3fff_ffff)
  return isBare ? even : even - 1
}

/** The row for an observed record: its fields, or what is wrong with it. */
export function rowOf(
  kind: CollectionKind,
  directory: number,
  { id, stamp, size, columns, isBare }: Observation,
) {
  const pending = kind === "message" ? { pending: pendingMark(isBare) } : {}
  return { directory, id, stamp, size, ...columns, ...pending }
}

/**
 * Brings a row up to date with a file that this process just wrote or removed. Its stamp stays unknown until the file
 * is read back, and the folder's stamp is dropped: someone else may have changed it at the same moment, and where renames do
 * not date folders it would still stand. Declared fields come with that reading, too.
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
  const directory = (row ?? statements.directories.create(place)).id
  if (written)
    statements[place.kind].putWritten(
      rowOf(place.kind, directory, {
        id,
        stamp: null,
        size: Buffer.byteLength(written.text),
        columns: columnsOf(
          place,
          isJsonObject(written.value)
            ? { body: written.value, text: written.text }
            : { fault: { code: "CORRUPT", message: "The file's JSON is not an object" } },
        ),
      }),
    )
  else statements[place.kind].remove(directory, id)
  if (place.kind === "part") statements.texts.await([place.folder], pendingMark(true))
  statements.directories.dropStamp(directory)
}
