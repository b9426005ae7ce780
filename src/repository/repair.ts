import { StoreError } from "../errors.ts"
import type { JsonObject } from "../record/extract.ts"
import { checkWritableKey } from "../record/key.ts"
import type { Writer } from "../root/writer.ts"
import { recoverSession, sessionFile } from "./recovery.ts"
import type { Roots } from "./roots.ts"

/** How to restore a session whose own file is gone. */
export interface RepairOptions {
  /** The project it gets; by default the one whose work tree its messages name, else `global`. */
  projectID?: string | undefined
  /** Whether to write nothing and only return what would be written. */
  dryRun?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** As `SessionRepository.repair`. Returns the body and the path it was, or would be, written to. */
export async function repairSession(
  roots: Roots,
  writer: Writer,
  id: string,
  { projectID, dryRun = false, signal }: RepairOptions,
): Promise<{ session: JsonObject; path: string }> {
  checkWritableKey(projectID === undefined ? [id] : [projectID, id])
  if (!dryRun) writer.mustBeWritable()
  const elsewhere = await sessionFile(roots, id)
  if (elsewhere !== undefined) throw isThere(id, elsewhere)
  const root = await roots.ofSession(id)
  const session = await recoverSession(roots, root, id, projectID, signal)
  if (!session)
    throw new StoreError("NOT_FOUND", `There is no session ${JSON.stringify(id)}, nor a message of it`)
  const folder = String(session.projectID)
  const place = { kind: "session", folder } as const
  roots.checkMain({ root, place, id })
  if (dryRun) return { session, path: roots.main.records.locate(["session", folder, id]) }
  const { path, present } = await writer.writeLost(id, folder, session)
  if (present !== undefined) throw isThere(id, present)
  return { session, path }
}

function isThere(id: string, path: string): StoreError {
  return new StoreError("CONFLICT", `The session ${id} has a file, which stays as it is: ${path}`, {
    path,
    hint: "If it cannot be read, move it elsewhere first; then the session can be repaired.",
  })
}
