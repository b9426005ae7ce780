import { fieldsOf, type JsonObject, messageFields } from "../record/extract.ts"
import { compareText } from "../record/order.ts"
import { checkChoice } from "../root/check.ts"
import type { RecordSource } from "../root/record-source.ts"
import type { Root } from "../root/root.ts"
import { TimeSlice } from "../time-slice.ts"
import { Copies, outputOf } from "./copies.ts"
import { ofProjects, type ProjectFilter } from "./of-projects.ts"
import { namesOf, ofSource, type SourceFilter } from "./of-source.ts"
import type { Roots } from "./roots.ts"

/** Which messages to add up. */
export interface UsageOptions {
  /** Only sessions that lie in the folder of this project, or these. */
  projectID?: ProjectFilter | undefined
  /** Only sessions that are read from the history of this agent, or these. */
  source?: SourceFilter | undefined
  /** Only sessions that ran in this work tree. */
  directory?: string | undefined
  /** Only messages created at or after this time and, with `until`, at or before that one; ms since 1970. */
  since?: number | undefined
  until?: number | undefined
  /** The IANA name of the time zone that days are counted in; by default the system's. */
  timeZone?: string | undefined
  /**
   * What to do with answers that lie in several sessions, as after a fork: add up each `"once"` (the default), or `"count"` the copies too.
   */
  copies?: "once" | "count" | undefined
  signal?: AbortSignal | undefined
}

/** The tokens and cost of one day's messages of one model, as the records say; 0 where they say nothing. */
export interface Usage {
  /** YYYY-MM-DD. */
  readonly day: string
  /** `null` for messages that name no model, such as a person's. */
  readonly model: string | null
  readonly provider: string | null
  /** The agent whose history they lie in, if the store reads several. */
  readonly source?: string
  messages: number
  input: number
  output: number
  reasoning: number
  cacheRead: number
  cacheWrite: number
  /** In the currency of the records, usually US dollars. */
  cost: number
  /**
   * How many answers are copies of others. They are in the figures only with `copies: "count"`. Absent if there are none.
   */
  copies?: number
}

/** How many message bodies are read together. */
const BODIES_AT_ONCE = 16
/** For how many messages of a session steps are asked for together. */
const MESSAGES_AT_ONCE = 256

/**
 * Adds up tokens and cost by day, model, provider and source, and returns the rows in that order. Every message is read. A message's own
 * field has only the tokens of its last step, so if several steps end in it (`step-finish` parts), their tokens are added up instead. Its own
 * cost is that of all its steps; if it has none, the steps' costs are added up. Memory grows with the days and models, and by some 64 bytes for
 * each answer, which `copies.ts` recognises copies by.
 * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`, `EXHAUSTED`; the signal's reason
 */
export async function collectUsage(roots: Roots, options: UsageOptions): Promise<Usage[]> {
  const { directory, since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = options
  const projects = ofProjects(options.projectID)
  if (Number.isNaN(since) || Number.isNaN(until)) throw new TypeError("since and until must be times in ms")
  const counted = checkChoice("copies", options.copies, ["once", "count"], "once") === "count"
  const slice = new TimeSlice(options.signal)
  const dayOf = daysIn(options.timeZone)
  const rows = new Map<string, Usage>()
  const copies = new Copies()
  const names = namesOf(options.source)
  const isMeant = ofSource(options.source) ?? (() => true)
  const isOneOfSeveral = roots.all.length > 1
  const owners = isOneOfSeveral ? await ownersOf(roots, options.signal) : undefined
  for (const root of roots.all.filter(isMeant)) {
    const { records } = root
    const sessions = await sessionsOf(root, projects, directory, names)
    const from = await root.origins?.(sessions)
    for (const session of sessions) {
      const source = isOneOfSeveral ? (from?.get(session)?.source ?? root.source) : undefined
      // A session in several roots is counted where it is read from.
      const owner = owners ? (owners.get(session) ?? (await roots.ownerOf(session))) : root
      if (owner !== root) continue
      copies.nextSession()
      let answers: Answer[] = []
      for await (const { id, body } of messagesOf(records, session, slice)) {
        const { created, role } = messageFields(body)
        const day = created < since || created > until ? undefined : dayOf(created)
        // A time that no calendar has is skipped.
        if (day === undefined) continue
        const row = rowOf(rows, day, role, body, source)
        const earlier = copies.earlier(body)
        if (earlier !== undefined) row.copies = (row.copies ?? 0) + 1
        if (earlier !== undefined && !counted) {
          // The earlier copy was cut short while it was being written: the rest of its output is counted here.
          row.output += Math.max(0, outputOf(body) - earlier)
          continue
        }
        row.messages++
        const answer = { row, id, tokens: body.tokens, cost: amountOf(body.cost) }
        if (role === "user") add(answer, [])
        else if (answers.push(answer) === MESSAGES_AT_ONCE) {
          await addAnswers(root, answers, slice)
          answers = []
        }
      }
      await addAnswers(root, answers, slice)
    }
  }
  return [...rows.values()].sort(
    (a, b) =>
      compareText(a.day, b.day) ||
      compareText(a.model ?? "", b.model ?? "") ||
      compareText(a.provider ?? "", b.provider ?? "") ||
      compareText(a.source ?? "", b.source ?? ""),
  )
}

/** The root that each listed session is read from. Found for all at once, since looking for one may mean looking at everything. */
async function ownersOf(roots: Roots, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Root>> {
  const owners = new Map<string, Root>()
  // Over all projects, since the copy that is read may lie in a project that was not asked for.
  const query = { archived: "include", order: "created", direction: "asc" } as const
  for (const { id, root } of await roots.sessions(query, { signal })) owners.set(id, root)
  return owners
}

async function* messagesOf(records: RecordSource, session: string, slice: TimeSlice) {
  const ids = await records.ids("message", session)
  for (let start = 0; start < ids.length; start += BODIES_AT_ONCE) {
    const turn = slice.pass()
    if (turn) await turn
    const some = ids.slice(start, start + BODIES_AT_ONCE)
    const bodies = await records.read("message", session, some)
    for (const [at, id] of some.entries()) {
      const body = bodies[at]
      if (body) yield { id, body }
    }
  }
}

async function sessionsOf(
  { catalog, records, origins }: Root,
  projects: readonly (string | undefined)[],
  directory: string | undefined,
  names: readonly string[] | undefined,
): Promise<readonly string[]> {
  const ids = new Set<string>()
  const sources = origins && names
  const query = { directory, sources, archived: "include", order: "created", direction: "asc" } as const
  for (const projectID of projects)
    if (directory !== undefined || sources)
      for (const { id } of await catalog.sessions({ ...query, projectID }, {})) ids.add(id)
    else if (projectID === undefined) return records.folders("message")
    else for (const id of await records.ids("session", projectID)) ids.add(id)
  return [...ids]
}

function rowOf(
  rows: Map<string, Usage>,
  day: string,
  role: string | null,
  body: JsonObject,
  source: string | undefined,
): Usage {
  // A person's message names the model that it asks, but the answer has the tokens.
  const model = role === "user" ? null : text(body.modelID)
  const provider = role === "user" ? null : text(body.providerID)
  const key = JSON.stringify([day, model, provider, source])
  const known = rows.get(key)
  if (known) return known
  const none = { messages: 0, input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0, cost: 0 }
  const made = { day, model, provider, ...(source !== undefined && { source }), ...none }
  rows.set(key, made)
  return made
}

/** A message's own figures, and the row they are added to. */
interface Answer {
  readonly row: Usage
  readonly id: string
  readonly tokens: unknown
  readonly cost: number | undefined
}

/** Adds messages of one session to their rows, with their steps if there are several. */
async function addAnswers(
  { records, catalog }: Root,
  answers: readonly Answer[],
  slice: TimeSlice,
): Promise<void> {
  if (answers.length === 0) return
  const several = await catalog.withSeveralSteps(answers.map(({ id }) => id))
  for (const answer of answers)
    add(answer, several.has(answer.id) ? await stepsOf(records, answer.id, slice) : [])
}

function add({ row, tokens, cost }: Answer, steps: readonly JsonObject[]): void {
  const isOne = steps.length < 2
  for (const of of isOne ? [tokens] : steps.map((step) => step.tokens)) {
    const { input, output, reasoning, cache } = fieldsOf(of)
    const { read, write } = fieldsOf(cache)
    row.input += amountOf(input) ?? 0
    row.output += amountOf(output) ?? 0
    row.reasoning += amountOf(reasoning) ?? 0
    row.cacheRead += amountOf(read) ?? 0
    row.cacheWrite += amountOf(write) ?? 0
  }
  row.cost += cost ?? (isOne ? 0 : steps.reduce((sum, step) => sum + (amountOf(step.cost) ?? 0), 0))
}

/** The parts that end a message's steps. What cannot be read is reported. */
async function stepsOf(records: RecordSource, messageID: string, slice: TimeSlice): Promise<JsonObject[]> {
  const steps: JsonObject[] = []
  const ids = await records.ids("part", messageID)
  if (ids.length < 2) return steps
  for (const id of ids) {
    const turn = slice.pass()
    if (turn) await turn
    const [part] = await records.read("part", messageID, [id])
    if (part?.type === "step-finish") steps.push(part)
  }
  return steps
}

function amountOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null
}

const QUARTER_MS = 15 * 60_000
/** The years 1 to 9999, for which YYYY-MM-DD has ten characters. */
const MIN_TIME_MS = -62_135_596_800_000
const MAX_TIME_MS = 253_402_214_400_000

/** A function that gives a time's day. It caches by quarters of an hour, since in every time zone days begin at one. */
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
