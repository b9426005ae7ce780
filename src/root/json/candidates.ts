import { IndexFailure } from "../../database/failure.ts"
import {
  type Candidate,
  type CandidateFilter,
  IDS_A_SECOND,
  LAST_SECOND,
  secondOf,
} from "../../database/text-statements.ts"
import { shortTextExpression, textExpression } from "../../database/trigram.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import { comparePosition, compareText } from "../../record/order.ts"
import type { ParsedQuery } from "../../record/search-query.ts"
import type { Catalog } from "../catalog.ts"

const PAGE = 128
/** A second after all others. */
const END = Number.MAX_SAFE_INTEGER / IDS_A_SECOND

export interface CandidateSources {
  readonly within: Pick<Reconciler, "index">
  /** What answers if the index cannot; without it there are then no candidates. */
  readonly all?: {
    /** The sessions that have messages. */
    readonly owners: () => Promise<readonly string[]>
    readonly scan: Pick<Catalog, "messages">
  }
  /** Called with the candidates that come next. */
  readonly expect?: ((candidates: readonly Candidate[]) => void) | undefined
  /** Whether the index may be asked. */
  readonly indexed: boolean
  /** The database that is known to be complete; `undefined` while it is being completed. */
  readonly database?: string | undefined
}

function newestFirst(a: Candidate, b: Candidate): number {
  return comparePosition(b, a) || compareText(b.session, a.session)
}

/** The second that a candidate's document id lies in: its message's second, or a later one if many messages are from one second. */
function foundAt(candidate: Candidate): number {
  return candidate.document === undefined
    ? secondOf(candidate.time)
    : Math.floor(candidate.document / IDS_A_SECOND)
}

/**
 * Yields every message that may match a query, newest first: those that the full-text index names, and those whose texts it does not hold
 * yet. If the index fails, all messages from there on.
 */
export async function* candidates(
  sources: CandidateSources,
  query: ParsedQuery,
  filter: CandidateFilter,
): AsyncGenerator<Candidate> {
  const { within } = sources
  if (!sources.indexed) return yield* scanned(sources, filter, END)
  // For a query of one or two letters the newest messages usually are enough, so the first page does not ask for a short expression.
  let expression = textExpression(query.wanted)
  const next = expression ?? shortTextExpression(query.wanted)
  // Everything for one range of seconds is read in one snapshot, so that a message whose texts are just being put into the index is
  // either found or pending.
  let upper = END
  let limit = PAGE
  // Candidates that were found before their turn in time.
  let held: Candidate[] = []
  let seen: { readonly version: string; readonly reach: number } | undefined
  try {
    while (upper > 0) {
      const bound = upper
      const before = seen
      const { found, strays, pending, lower, database, ...now } = await within.index.read(({ texts }) => {
        const version = texts.version()
        const until = Math.min(bound * IDS_A_SECOND, Number.MAX_SAFE_INTEGER)
        const found = texts.candidates(expression, filter, until, limit)
        const pending = texts.pending(bound > LAST_SECOND ? undefined : { time: bound * 1000, id: "" }, limit)
        const lower = Math.max(lastSecond(found, limit), lastSecond(pending, limit))
        return {
          database: within.index.database,
          version,
          found,
          pending,
          lower,
          // A message that was put in meanwhile may have got an id in the seconds that were passed already.
          strays:
            !before || before.version === version
              ? []
              : texts.strays(expression, filter, bound, before.reach),
          reach: lower < 0 ? 0 : texts.reach(lower + 1),
        }
      })
      if (sources.database !== undefined && database !== sources.database)
        throw new IndexFailure("damaged", "The index was begun anew during a search")
      seen = now
      expression = next
      const all = [...found, ...pending].filter((candidate) => {
        const second = foundAt(candidate)
        return second < bound && second > lower
      })
      // A stray may be held already, if it was found at its place.
      const places = new Set(strays.length > 0 ? held.map(placeOf) : [])
      const known = [...held, ...strays.filter((stray) => !places.has(placeOf(stray))), ...all]
      held = known.filter(({ time }) => secondOf(time) <= lower)
      const due = known.filter(({ time }) => secondOf(time) > lower)
      due.sort(newestFirst)
      sources.expect?.(due)
      yield* due
      // A second holds more messages than the limit, or far more than it has ids.
      if (due.length === 0) limit *= 2
      upper = lower + 1
      if (lower < 0) return
    }
  } catch (error) {
    if (!(error instanceof IndexFailure)) throw error
    yield* scanned(sources, filter, upper)
  }
}

function placeOf({ session, id }: Candidate): string {
  return `${session}/${id}`
}

/** The last second of a full page, which the page may not have completed; -1 if the page is not full. */
function lastSecond(page: readonly Candidate[], limit: number): number {
  const last = page.at(-1)
  return last && page.length >= limit ? foundAt(last) : -1
}

/** Yields all messages before a second, or those of one session, newest first, by reading the files. Slow; needs no index. */
async function* scanned(
  { all: sources }: CandidateSources,
  filter: CandidateFilter,
  upper: number,
): AsyncGenerator<Candidate> {
  if (!sources) return
  const all: Candidate[] = []
  const sessions = filter.session === undefined ? await sources.owners() : [filter.session]
  for (const session of sessions)
    for await (const run of sources.scan.messages(session, "desc", {}))
      for (const { id, time } of run) if (secondOf(time) < upper) all.push({ id, time, session, role: null })
  yield* all.sort(newestFirst)
}
