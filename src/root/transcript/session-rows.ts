import type { Statements } from "../../database/statements.ts"
import { columnsOf } from "../../migrator/observation.ts"
import type { HeldSession } from "./held.ts"

/** Writes the row of a session. Tells whether that changed anything. */
export function putSession(statements: Statements, { id, project, body }: HeldSession): boolean {
  const place = { kind: "session", folder: project } as const
  const directory = (statements.directories.find(place) ?? statements.directories.create(place)).id
  const text = JSON.stringify(body)
  const isChanged = statements.transcripts.bodies(directory, [id]).get(id) !== text
  statements.session.put([
    { directory, id, stamp: null, size: Buffer.byteLength(text), ...columnsOf(place, { body }), body: text },
  ])
  return isChanged
}

/** Removes the row of a session, where there is one. */
export function removeSessionRow({ directories, session }: Statements, project: string, id: string): void {
  const row = directories.find({ kind: "session", folder: project })
  if (row) session.remove(row.id, id)
}

/** Removes all rows of a session's messages. */
export function removeMessages({ directories }: Statements, session: string): void {
  const row = directories.find({ kind: "message", folder: session })
  if (row) directories.remove(row.id)
}
