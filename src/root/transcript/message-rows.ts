import type { Statements } from "../../database/statements.ts"
import { changeOf, type StoreChange } from "../change.ts"
import { type HeldSession, placeText } from "./held.ts"
import { bytesOf, type PlacedMessage } from "./record-bodies.ts"
import { sameJson } from "./same-json.ts"

/** In what the messages of a session are otherwise than its rows say. */
export interface Difference {
  readonly directory: number
  /** The container's row. */
  readonly container: number
  /** What those that changed get as `pending`. */
  readonly mark: number
  /** Without their rows, which take several times as much: those are made of a few at a time. */
  readonly changed: readonly { readonly message: PlacedMessage; readonly isMoved: boolean }[]
  readonly gone: readonly string[]
}

/** How rows of messages are put. */
export interface Anew {
  /** Whether all of them count as changed. */
  readonly isAnew: boolean
  /** What those that changed get as `pending`. */
  readonly mark: number
}

/**
 * Compares a session's rows with what its container says now.
 * @param said what the rows say, where that is at hand
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
  // What is added to a transcript comes last: most are the same up to there.
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

/** How many messages lie where others did, from the first on. */
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

/** Makes rows equal to what differs. */
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

/** Notes how many messages a session has, once all of their rows are put. */
export function settleMessages(
  { directories }: Statements,
  { messages }: HeldSession,
  { directory }: Difference,
): void {
  directories.settle(directory, { stamp: null, size: 0, entries: messages.length })
}

/** Makes all rows of a session equal to what differs, at once; gives what changed. */
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

/** The same as it is told to others. */
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
