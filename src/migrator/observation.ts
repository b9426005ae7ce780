import type { Statements } from "../database/statements.ts"
import type { Fault } from "../file/reader.ts"
import type { Stamp } from "../file/stamp.ts"
import { isJsonObject, type JsonObject, messageFields, partFields, sessionFields } from "../record/extract.ts"
import type { DeclaredFields } from "../record/fields.ts"
import { fold } from "../record/fold.ts"
import type { CollectionKind, Place } from "../record/kind.ts"

/** A row to be put: the record, the version of its file, and the values of its columns. */
export interface Observation {
  readonly id: string
  readonly stamp: Stamp | null
  readonly size: number
  readonly columns: Columns
  /** Whether a message is known to have no texts of its own. */
  readonly isBare?: boolean
}

/** Session files with longer texts, in UTF-16 units, are not kept in their rows. Most have some hundreds. */
const KEPT_LENGTH = 4_096

/** The columns of a record's row that depend only on its content. */
export type Columns = ReturnType<typeof columnsOf>

/**
 * Derives a row's columns from what was read of a record.
 * @param declared the declared fields of a session, for `session_fields`; a session that cannot be read has no values
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
 * A new random mark for `messages.pending`, so that texts read before a change are not taken for those after it. It is even for a message
 * that is known to have no texts of its own, otherwise odd.
 */
export function pendingMark(isBare = false): number {
  const even = 2 + 2 * Math.floor(Math.random() * 0x3fff_ffff)
  return isBare ? even : even - 1
}

/** The row for an observed record: its fields, or its problem. */
export function rowOf(
  kind: CollectionKind,
  directory: number,
  { id, stamp, size, columns, isBare }: Observation,
) {
  const pending = kind === "message" ? { pending: pendingMark(isBare) } : {}
  return { directory, id, stamp, size, ...columns, ...pending }
}

/**
 * Brings a row up to date with a file that this process just wrote or removed. The row's stamp is unknown until the file is read again,
 * which also sets its declared fields. The folder's stamp is cleared: another program may have changed the folder at the same moment, and
 * on file systems where renames do not update a folder's times the old stamp would still match.
 * @param written what was written, `undefined` for a removal
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
