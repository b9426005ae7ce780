import type { Statements } from "../../database/statements.ts"
import type { ContainerReading, ContainerRow, StateInPieces } from "../../database/transcript-statements.ts"
import { changeOf, type StoreChange } from "../change.ts"
import type { HeldSession } from "./held.ts"
import { areOf, type SaidRows } from "./kept-folds.ts"
import { type Anew, type Difference, differenceOf, putWholeDifference, sizeOf } from "./message-rows.ts"
import { putSession, removeMessages, removeSessionRow } from "./session-rows.ts"

/** Messages written in one transaction: some 5 ms of the event loop. */
export const MESSAGES_AT_ONCE = 256

/** Another process wrote the rows of the same container at the same time. */
export class Disturbed extends Error {}

/** How the rows of a container are written. */
export interface PutOptions extends Anew {
  /** The state to save; without one, the saved state is still good. */
  readonly state: (() => StateInPieces | undefined) | undefined
  /** The reading that was continued; `undefined` if it was read from the beginning. */
  readonly of: ContainerReading | undefined
  /** What its rows say, if that is known. */
  readonly said: SaidRows | undefined
}

/** What became of rows when a container's were written. */
export interface Put {
  readonly row: number
  /** The sessions that are read from it. */
  readonly read: readonly HeldSession[]
  /** Containers to settle again, because they hold a session that this one lost. */
  readonly lost: readonly number[]
  readonly changes: readonly StoreChange[]
  /** Whether the rows of its messages are written, too. */
  readonly isFinished: boolean
}

/**
 * Writes the rows of a container and its sessions and, if few of their messages differ, those of the messages.
 * @throws Disturbed
 */
export function putContainer(
  statements: Statements,
  columns: ContainerRow,
  sessions: readonly HeldSession[],
  how: PutOptions,
): Put {
  const { of, said, state } = how
  const { transcripts } = statements
  if (of) {
    const at = transcripts.rowOf(columns.folder, columns.name)
    const known = at === undefined ? undefined : transcripts.container(at)
    if (!known?.hasState || !areOf(known, of)) throw new Disturbed()
  }
  const row = transcripts.put({ ...columns, look: null })
  if (!of) transcripts.dropState(row)
  const held = transcripts.held(row)
  const before = held.filter(({ id }) => transcripts.holder(id)?.container === row)
  transcripts.putHeld(row, sessions)
  const lost: number[] = []
  const changes: StoreChange[] = []
  const now = new Set<string>()
  for (const session of sessions) {
    if (transcripts.holder(session.id)?.container !== row) continue
    now.add(session.id)
    const { id, project } = session
    if (putSession(statements, session)) changes.push(changeOf(["session", project, id], "written", "other"))
    // Another copy, or an older version of this one, may have named another work tree.
    for (const elsewhere of statements.session.folders(id)) {
      if (elsewhere === project) continue
      removeSessionRow(statements, elsewhere, id)
      changes.push(changeOf(["session", elsewhere, id], "removed", "other"))
    }
  }
  for (const { id, project } of before) {
    if (now.has(id)) continue
    removeSessionRow(statements, project, id)
    const other = transcripts.holder(id)
    if (!other || !sessions.some((session) => session.id === id))
      changes.push(changeOf(["session", project, id], "removed", "other"))
    if (other) lost.push(other.container)
    else removeMessages(statements, id)
  }
  for (const other of lost) transcripts.doubt(other)
  const read = sessions.filter(({ id }) => now.has(id))
  const isFew = read.reduce((sum, { messages }) => sum + messages.length, 0) <= MESSAGES_AT_ONCE
  const differences: { session: HeldSession; difference: Difference }[] = []
  if (isFew || of)
    for (const session of read) {
      // Rows of a copy in another container do not count as ours.
      const isOurs = before.some(({ id }) => id === session.id)
      const rows = isOurs ? said?.sessions.find(({ id }) => id === session.id) : undefined
      differences.push({
        session,
        difference: differenceOf(statements, row, session, how, rows?.messages),
      })
    }
  const count = differences.reduce((sum, { difference }) => sum + sizeOf(difference), 0)
  const isFinished = (isFew || of !== undefined) && count <= MESSAGES_AT_ONCE
  if (isFinished) {
    for (const { session, difference } of differences)
      changes.push(...putWholeDifference(statements, session, difference))
    transcripts.trust(columns, columns, state?.())
  } else transcripts.dropState(row)
  return { row, read, lost, changes, isFinished }
}

/** Removes the rows of a container that is gone, and of what it held. */
export function removeContainer(statements: Statements, row: number) {
  const { transcripts } = statements
  const container = transcripts.container(row)
  const gone: StoreChange[] = []
  let hasDoubted = false
  const held = transcripts.held(row).filter(({ id }) => transcripts.holder(id)?.container === row)
  transcripts.remove(row)
  for (const { id, project } of held) {
    removeSessionRow(statements, project, id)
    const other = transcripts.holder(id)
    if (other) {
      transcripts.doubt(other.container)
      hasDoubted = true
      continue
    }
    removeMessages(statements, id)
    gone.push(changeOf(["session", project, id], "removed", "other"))
  }
  return { container, gone, hasDoubted }
}
