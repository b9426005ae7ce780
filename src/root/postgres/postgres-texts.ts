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

/** How many rows the first scan reads, newest first. Without an index each further scan reads twice as many, up to the limit below. */
const FIRST_SCAN = 2_000
const LONGEST_SCAN = 64_000
/** If fewer than one in this many rows is a hit, an index finds the rest faster. */
const RARE = 256
/** How many messages are read ahead at first, so that the first hits come soon, and then. */
const FIRST_AHEAD = 8
const AHEAD = 32

/**
 * The texts in PostgreSQL, always whole. A search first scans the newest rows, where frequent words are found at once. What is rare there
 * is looked up in an index: pg_trgm's or, beyond ASCII, that of one and two characters. What no index knows, such as one or two letters, is
 * scanned for to the end, as long as the search may take.
 */
export class PostgresTexts implements TextSource {
  readonly mode: TextSource["mode"]
  readonly #access: FleetAccess
  readonly #records: PostgresRecords
  readonly #reading: Reading
  readonly #sessions: SessionsAhead
  /** The messages that were read ahead for the current search, by session and message. Each is given once. */
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
      // If nothing was found, the last row is yielded, so that the search sees how far it is and can stop.
      if (rows.length > 0) yield rows
      else if (last) yield [last]
      if (!last) return
      after = last
      byIndex ||= condition.indexed !== undefined && rows.length * RARE < size
    }
  }

  /** Those of the rows that are from copies that count, each message once. */
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
      // A message with several pieces is given once.
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
      // A message with a body that is too large or no JSON is read on its own later, and so reported.
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

/** Gives bodies the ids of their rows. */
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
    // Reading the record on its own reports it.
    return undefined
  }
}
