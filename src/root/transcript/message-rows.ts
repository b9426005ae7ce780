import type { Statements } from "../../database/statements.ts"
import { changeOf, type StoreChange } from "../change.ts"
import { type HeldSession, placeText } from "./held.ts"
import { bytesOf, type PlacedMessage } from "./record-bodies.ts"
import { sameJson } from "./same-json.ts"

/** The difference between the messages of a session and its rows. */
export interface Difference {
  readonly directory: number
  /** The container's row. */
  readonly container: number
  /** The `pending` of rows that changed. */
  readonly mark: number
  /** The rows themselves take several times the memory, so they are made a few at a time. */
  readonly changed: readonly { readonly message: PlacedMessage; readonly isMoved: boolean }[]
  readonly gone: readonly string[]
}

/** How rows of messages are written. */
export interface Anew {
  /** Whether all of them count as changed. */
  readonly isAnew: boolean
  /** The `pending` of rows that changed. */
  readonly mark: number
}

/**
 * Compares a session's rows with what its container says now.
 * @param said what the rows say, if that is known
 */
export function differenceOf(
  { directories, transcripts }: Statements,
  row: number,
  session: HeldSession,
  { isAnew, mark }: Anew,
  said?: readonly PlacedMessage[],
): Difference {
  const place = { kind: "message", folder: session.id } as const
  const found = directories.find(place)
  const directory = (found ?? directories.create(place)).id
  // Appended messages come last: up to there most are the same.
  const from = found && said && !isAnew ? alikeUpTo(said, session.messages) : 0
  const known = new Map(
    found &&
      (said
        ? said.slice(from).map((message) => [message.id, `${row} ${placeText(message)}`])
        : transcripts.places.of(directory).map(({ id, place, container }) => [id, `${container} ${place}`])),
  )
  const changed: Difference["changed"][number][] = []
  for (const message of session.messages.slice(from)) {
    const { id } = message
    const before = known.get(id)
    const isMoved = before === undefined || before !== `${row} ${placeText(message)}`
    if (isMoved || isAnew) changed.push({ message, isMoved })
    known.delete(id)
  }
  return { directory, container: row, mark, changed, gone: [...known.keys()] }
}

/** How many messages, from the first on, are as they were before. */
function alikeUpTo(before: readonly PlacedMessage[], now: readonly PlacedMessage[]): number {
  const differs = now.findIndex((message, at) => {
    const other = before[at]
    return !other || (message !== other && !isSame(message, other))
  })
  return differs < 0 ? now.length : differs
}

function isSame(a: PlacedMessage, b: PlacedMessage): boolean {
  return a.id === b.id && a.created === b.created && sameJson(a.outlined, b.outlined)
}

/** Writes a difference into the rows. */
export function putDifference(
  { message, transcripts }: Statements,
  { directory, container, mark, changed, gone }: Difference,
): void {
  message.put(changed.map((one) => messageRow(directory, one.message, mark)))
  transcripts.places.put(
    directory,
    changed.map((one) => ({ id: one.message.id, container, place: placeText(one.message) })),
  )
  for (const id of gone) message.remove(directory, id)
  transcripts.places.remove(directory, gone)
}

/** Notes how many messages a session has, once all their rows are written. */
export function settleMessages(
  { directories }: Statements,
  { messages }: HeldSession,
  { directory }: Difference,
): void {
  directories.settle(directory, { stamp: null, size: 0, entries: messages.length })
}

/** Writes the whole difference of a session in one go and gives the changes. */
export function putWholeDifference(
  statements: Statements,
  session: HeldSession,
  difference: Difference,
): StoreChange[] {
  if (sizeOf(difference) === 0) return []
  putDifference(statements, difference)
  settleMessages(statements, session, difference)
  return changesOf(session, difference)
}

/** How many rows differ. */
export function sizeOf({ changed, gone }: Difference): number {
  return changed.length + gone.length
}

/** The difference as changes for listeners. */
export function changesOf({ id: session }: HeldSession, { changed, gone }: Difference): StoreChange[] {
  return [
    ...changed.flatMap(({ message, isMoved }) =>
      isMoved ? [changeOf(["message", session, message.id], "written", "other")] : [],
    ),
    ...gone.map((id) => changeOf(["message", session, id], "removed", "other")),
  ]
}

function messageRow(
  directory: number,
  { id, outlined, created }: HeldSession["messages"][number],
  pending: number,
) {
  const { role } = outlined
  return {
    directory,
    id,
    stamp: null,
    size: bytesOf(outlined),
    problem: null,
    problemMessage: null,
    created,
    role,
    pending,
  }
}
