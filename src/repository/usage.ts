import { fieldsOf, type JsonObject, messageFields } from "../record/extract.ts"
import { checkKey } from "../record/key.ts"
import { compareText } from "../record/order.ts"
import { TimeSlice } from "../time-slice.ts"
import type { Roots } from "./roots.ts"

/** Which messages are added up. */
export interface UsageOptions {
  /** Only sessions that lie in this project's folder. */
  projectID?: string | undefined
  /** Only messages created from this time on, or up to it, ms since 1970. */
  since?: number | undefined
  until?: number | undefined
  /** The time zone whose days are meant, by its IANA name; by default the system's. */
  timeZone?: string | undefined
  signal?: AbortSignal | undefined
}

/** What one day's messages of one model took. Tokens and cost are as the records say, 0 where they say nothing. */
export interface Usage {
  /** YYYY-MM-DD. */
  readonly day: string
  /** `null` for messages that name no model, as those of people. */
  readonly model: string | null
  readonly provider: string | null
  messages: number
  input: number
  output: number
  reasoning: number
  cacheRead: number
  cacheWrite: number
  /** In the currency of the records, US dollars as a rule. */
  cost: number
}

/**
 * Adds up tokens and cost by day, model and provider, in that order, by reading every message. Memory grows with the days
 * and models only.
 * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`; the signal's reason
 */
export async function collectUsage(roots: Roots, options: UsageOptions): Promise<Usage[]> {
  const { projectID, since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = options
  if (projectID !== undefined) checkKey([projectID])
  if (Number.isNaN(since) || Number.isNaN(until)) throw new TypeError("since and until must be times in ms")
  const slice = new TimeSlice(options.signal)
  const dayOf = daysIn(options.timeZone)
  const rows = new Map<string, Usage>()
  for (const root of roots.all) {
    const { records } = root
    const sessions =
      projectID === undefined ? await records.folders("message") : await records.ids("session", projectID)
    for (const session of sessions) {
      // What lies in several roots is counted where it is read.
      if ((await roots.ofSession(session)) !== root) continue
      for (const id of await records.ids("message", session)) {
        const turn = slice.pass()
        if (turn) await turn
        const [body] = await records.read("message", session, [id])
        if (!body) continue
        const { created, role } = messageFields(body)
        const day = created < since || created > until ? undefined : dayOf(created)
        // A time that no calendar knows has no day.
        if (day !== undefined) add(rowOf(rows, day, role, body), body)
      }
    }
  }
  return [...rows.values()].sort(
    (a, b) =>
      compareText(a.day, b.day) ||
      compareText(a.model ?? "", b.model ?? "") ||
      compareText(a.provider ?? "", b.provider ?? ""),
  )
}

function rowOf(rows: Map<string, Usage>, day: string, role: string | null, body: JsonObject): Usage {
  // People's messages name the model they ask for; what it took stands in its answer.
  const model = role === "user" ? null : text(body.modelID)
  const provider = role === "user" ? null : text(body.providerID)
  const key = JSON.stringify([day, model, provider])
  const known = rows.get(key)
  if (known) return known
  const none = { messages: 0, input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0, cost: 0 }
  const made = { day, model, provider, ...none }
  rows.set(key, made)
  return made
}

function add(row: Usage, body: JsonObject): void {
  const tokens = fieldsOf(body.tokens)
  const cache = fieldsOf(tokens.cache)
  row.messages++
  row.input += amount(tokens.input)
  row.output += amount(tokens.output)
  row.reasoning += amount(tokens.reasoning)
  row.cacheRead += amount(cache.read)
  row.cacheWrite += amount(cache.write)
  row.cost += amount(body.cost)
}

function amount(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null
}

const QUARTER_MS = 15 * 60_000
/** The years 1 to 9999, which a day of ten letters can tell. */
const MIN_TIME_MS = -62_135_596_800_000
const MAX_TIME_MS = 253_402_214_400_000

/** Gives a time's day. No zone's days begin within a quarter of an hour, and neighbours often share theirs. */
function daysIn(timeZone: string | undefined): (ms: number) => string | undefined {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat("en-CA", {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
    })
  } catch {
    throw new TypeError(`There is no time zone ${JSON.stringify(timeZone)}`)
  }
  let quarter: number | undefined
  let day = ""
  return (ms) => {
    if (ms < MIN_TIME_MS || ms > MAX_TIME_MS) return undefined
    const of = Math.floor(ms / QUARTER_MS)
    if (of !== quarter) {
      quarter = of
      day = format.format(ms)
    }
    return day
  }
}
