import { compareText } from "../record/order.ts"
import type { SearchHit } from "./options.ts"

/** A candidate that was no hit: all that its stream still has is of that time or older. */
export interface Passed {
  readonly kind: "passed"
  readonly time: number
}

/** What a stream of a search comes upon, newest first. */
export type Found = SearchHit | Passed

/** Where a hit stands among others. */
export type HitPlace = Pick<SearchHit, "kind" | "sessionID" | "messageID" | "time">

/** Whether a hit comes after another one in the order of a search. */
export function isBehind(a: HitPlace, b: HitPlace): boolean {
  if (a.time !== b.time) return a.time < b.time
  if (a.kind !== b.kind) return a.kind === "text"
  const order = compareText(a.messageID ?? a.sessionID, b.messageID ?? b.sessionID)
  return (order === 0 ? compareText(a.sessionID, b.sessionID) : order) < 0
}

/** Of two that streams have come to, whether the first is to be taken first. What was passed needs no place of its own. */
function isBefore(a: Found, b: Found): boolean {
  if (a.time !== b.time) return a.time > b.time
  if (a.kind === "passed") return true
  return b.kind !== "passed" && isBehind(b, a)
}

/**
 * Merges streams, each newest first. None is taken further than the hits of the others need: of a stream without hits what is newer
 * than the hit that is wanted next.
 */
export async function* newestOf(streams: readonly AsyncGenerator<Found>[]): AsyncGenerator<Found> {
  try {
    const heads = await Promise.all(streams.map(async (stream) => ({ stream, next: await stream.next() })))
    for (;;) {
      let first: { head: (typeof heads)[number]; found: Found } | undefined
      for (const head of heads) {
        const { next } = head
        if (!next.done && (!first || isBefore(next.value, first.found))) first = { head, found: next.value }
      }
      if (!first) return
      yield first.found
      first.head.next = await first.head.stream.next()
    }
  } finally {
    for (const stream of streams) await stream.return(undefined)
  }
}
