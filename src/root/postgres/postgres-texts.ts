import { isJsonObject, type JsonObject } from "../../record/extract.ts"
import { identify } from "../../record/identify.ts"
import type { ParsedQuery } from "../../record/search-query.ts"
import { wholeDocument } from "../document.ts"
import type { RootContext } from "../root.ts"
import type { Candidate, CandidateFilter, MessageDocument, TextLook, TextSource } from "../text-source.ts"
import type { FleetAccess } from "./access.ts"
import { TextCondition, type TextRow } from "./candidate-rows.ts"
import { readDocuments } from "./documents.ts"
import type { PostgresRecords } from "./postgres-records.ts"
import type { Reading, WholeRow } from "./record-rows.ts"
import { type CountingCopy, countingCopies, type SessionsAhead } from "./sessions-ahead.ts"

/** Rows that are gone through at first, newest first; twice as many each time there is no index to go by. */
const FIRST_SCAN = 2_000
const LONGEST_SCAN = 64_000
/** Where fewer than one of so many rows is a hit, an index finds the others faster. */
const RARE = 256
/** Messages that are read ahead at first, and then: the first hits are to come soon. */
const FIRST_AHEAD = 8
const AHEAD = 32

/**
 * The texts as PostgreSQL has them, always whole. A search first goes through the newest rows, in which frequent words are found at once;
 * what is rare there is looked for by an index: pg_trgm's, or, beyond ASCII, that of one and two characters. What no index knows, one or two
 * letters or signs, is looked for row by row to the end, as long as the search may take.
 */
export class PostgresTexts implements TextSource {
  readonly mode: TextSource["mode"]
  readonly #access: FleetAccess
  readonly #records: PostgresRecords
  readonly #reading: Reading
  readonly #sessions: SessionsAhead
  /** What was read ahead for the search under way, by session and message; each is given once. */
  readonly #ahead = new Map<string, MessageDocument>()

  constructor(
    access: FleetAccess,
    records: PostgresRecords,
    reading: Reading,
    sessions: SessionsAhead,
    { search }: Pick<RootContext, "search">,
  ) {
    this.mode = search
    this.#access = access
    this.#records = records
    this.#reading = reading
    this.#sessions = sessions
  }

  async look(): Promise<TextLook> {
    return { whole: true, candidates: (query, filter, signal) => this.#candidates(query, filter, signal) }
  }

  async refresh(): Promise<void> {}

  async makeWhole(): Promise<void> {}

  async makeWholeLater(): Promise<void> {}

  async document(sessionID: string, messageID: string): Promise<MessageDocument | undefined> {
    const name = nameOf(sessionID, messageID)
    const ahead = this.#ahead.get(name)
    this.#ahead.delete(name)
    if (ahead) return ahead
    const whole = await this.#access.attempt(undefined, () =>
      this.#records.message(sessionID, messageID, true),
    )
    return whole && wholeDocument(whole.info, whole.parts)
  }

  async *#candidates(
    query: ParsedQuery,
    filter: CandidateFilter,
    signal?: AbortSignal,
  ): AsyncGenerator<Candidate> {
    try {
      let ahead = FIRST_AHEAD
      for await (const rows of this.#rows(new TextCondition(query, filter), signal)) {
        for (let start = 0; start < rows.length; start += ahead, ahead = AHEAD) {
          signal?.throwIfAborted()
          const group = await this.#counting(rows.slice(start, start + ahead), filter)
          await this.#readAhead(group)
          for (const { time, message, session, source } of group) yield { time, id: message, session, source }
        }
      }
    } finally {
      this.#ahead.clear()
    }
  }

  async *#rows(condition: TextCondition, signal: AbortSignal | undefined): AsyncGenerator<TextRow[]> {
    let after: TextRow | undefined
    let byIndex = false
    for (let size = FIRST_SCAN; ; size = Math.min(size * 2, LONGEST_SCAN)) {
      signal?.throwIfAborted()
      const from = after
      const { rows, last } = await this.#access.quietly({ rows: [], last: undefined }, (db) =>
        byIndex ? condition.look(db, from) : condition.scan(db, from, size),
      )
      // Where nothing was found the last is looked at, so that a search can stop at its time.
      if (rows.length > 0) yield rows
      else if (last) yield [last]
      if (!last) return
      after = last
      byIndex ||= condition.indexed !== undefined && rows.length * RARE < size
    }
  }

  /** Of rows those of copies that count, each message once. */
  async #counting(rows: readonly TextRow[], { sources }: CandidateFilter): Promise<CountingRow[]> {
    const sessions = [...new Set(rows.map(({ session }) => session))]
    const found = await this.#access.quietly<CountingCopy[]>([], (db) =>
      countingCopies(db, sessions, this.#reading),
    )
    this.#sessions.put(found)
    const copies = new Map(found.map((copy) => [copy.id, copy]))
    const counting = new Map<string, CountingRow>()
    for (const row of rows) {
      const copy = copies.get(row.session)
      if (copy?.machine !== row.machine || (sources && !sources.includes(copy.source))) continue
      // A message of several pieces is looked at once.
      counting.set(nameOf(row.session, row.message), { ...row, source: copy.source })
    }
    return [...counting.values()]
  }

  async #readAhead(group: readonly TextRow[]): Promise<void> {
    this.#ahead.clear()
    if (group.length === 0) return
    type Row = WholeRow & { session: string }
    const rows = await this.#access.quietly<Row[]>([], (db) => readDocuments(db, group, this.#reading))
    for (const [name, [message, ...parts]] of Map.groupBy(rows, (row) => nameOf(row.session, row.message))) {
      const info = message?.position === -1 ? bodyOf(message) : undefined
      // Those that are too large or no JSON are read for themselves, and so told of.
      const bodies = parts.map((part) => bodyOf(part))
      if (!message || !info || bodies.some((body) => body === undefined)) continue
      const place = { kind: "message", folder: message.session } as const
      const whole = bodies.filter((body) => body !== undefined)
      this.#ahead.set(name, wholeDocument(identify(info, place, message.id), inOrder(whole, parts)))
    }
  }
}

interface CountingRow extends TextRow {
  readonly source: string
}

function nameOf(session: string, message: string): string {
  return `${session}/${message}`
}

/** Bodies with the ids of their rows. */
function inOrder(bodies: readonly JsonObject[], rows: readonly WholeRow[]): JsonObject[] {
  return bodies.map((body, at) => {
    const row = rows[at]
    return row ? identify(body, { kind: "part", folder: row.message }, row.id) : body
  })
}

function bodyOf({ body }: WholeRow): JsonObject | undefined {
  if (body === null) return undefined
  try {
    const value: unknown = JSON.parse(body)
    return isJsonObject(value) ? value : undefined
  } catch {
    // It is told of by whoever reads it for itself.
    return undefined
  }
}
