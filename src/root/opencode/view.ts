import type { Database } from "bun:sqlite"
import { type SQL, sql } from "drizzle-orm"
import type { SQLiteBunDatabase } from "drizzle-orm/bun-sqlite"
import { StoreError } from "../../errors.ts"
import { columnsOf, encodingOf } from "./pragmas.ts"
import { TABLES, type TableName } from "./tables.ts"
import type { Problem } from "./trouble.ts"

/** The columns that a table must have to be of use. */
const NEEDED: Readonly<Record<TableName, readonly string[]>> = {
  session: ["id"],
  sessionV2: ["id"],
  message: ["id", "session_id", "time_created", "data"],
  part: ["id", "message_id", "data"],
  sessionMessage: ["id", "session_id", "type", "seq", "time_created", "data"],
  project: ["id"],
  todo: ["session_id", "content", "position"],
  eventSequence: ["aggregate_id", "seq"],
}

/** The names of the tables in SQL. */
const SQL_NAMES: Readonly<Record<TableName, string>> = {
  session: "session",
  sessionV2: "session_v2",
  message: "message",
  part: "part",
  sessionMessage: "session_message",
  project: "project",
  todo: "todo",
  eventSequence: "event_sequence",
}

/** A prepared query. */
export interface Question<Row> {
  all(parameters?: Record<string, unknown>): Row[]
}

/** A row whose values have not been checked. */
export type Row = Readonly<Record<string, unknown>>

/** A database under its current schema: which of the known tables and columns it has, and the queries that were prepared for it. */
export class View {
  readonly path: string
  readonly db: SQLiteBunDatabase
  /** The encoding of texts in the file. */
  readonly encoding: "utf-8" | "utf-16le" | "utf-16be"
  /** The problems of known tables that lack needed columns. */
  readonly problems: readonly Problem[]
  readonly #columns = new Map<TableName, ReadonlySet<string>>()
  readonly #prepared = new Map<string, Question<Row>>()

  /** @throws StoreError `CORRUPT` if there is no known table of sessions */
  constructor(client: Database, db: SQLiteBunDatabase, path: string) {
    this.path = path
    this.db = db
    this.encoding = encodingOf(client)
    const problems: Problem[] = []
    for (const [table, needed] of entriesOf(NEEDED)) {
      const columns = columnsOf(client, SQL_NAMES[table])
      if (columns.size === 0) continue
      const missing = needed.filter((column) => !columns.has(column))
      if (missing.length === 0) this.#columns.set(table, columns)
      else
        problems.push({
          path,
          code: "CORRUPT",
          message: `The table ${SQL_NAMES[table]} has no column ${missing.join(", ")}`,
        })
    }
    this.problems = problems
    if (!this.has("session") && !this.has("sessionV2"))
      throw new StoreError(
        "CORRUPT",
        `This is no database of opencode: ${problems[0]?.message ?? "it has no table of sessions"}: ${path}`,
        {
          path,
          hint: "It is another program's, or a later opencode's.",
        },
      )
  }

  has(table: TableName): boolean {
    return this.#columns.has(table)
  }

  /** A column, or NULL if this database's table does not have it. */
  column(table: TableName, name: string): SQL {
    if (!this.#columns.get(table)?.has(name)) return sql`null`
    return sql`${sql.identifier(SQL_NAMES[table])}.${sql.identifier(name)}`
  }

  /** The known columns of a table that this database has. */
  columns(table: TableName): Record<string, SQL> {
    const present = this.#columns.get(table)
    const names = Object.keys(TABLES[table]).filter((name) => present?.has(name))
    return Object.fromEntries(names.map((name) => [name, this.column(table, name)]))
  }

  /** A query, prepared at its first use and found again by its name. */
  question(name: string, make: (db: SQLiteBunDatabase) => Question<Row>): Question<Row> {
    let question = this.#prepared.get(name)
    if (!question) {
      question = make(this.db)
      this.#prepared.set(name, question)
    }
    return question
  }
}

function entriesOf<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][]
}
