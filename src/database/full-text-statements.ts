import { and, asc, eq, gt, isNotNull, sql } from "drizzle-orm"
import { systemCode } from "../errors.ts"
import type { Drizzle } from "./drizzle.ts"
import { rootCause } from "./failure.ts"
import { lazy } from "./lazy.ts"
import { directories, documents, messages, sessions } from "./schema.ts"
import { soundNumber, soundText } from "./sound.ts"

const { placeholder } = sql

/** The two FTS5 tables: titles of sessions, by session row, and texts of messages, by document. */
export type FullTextTable = "titles" | "texts"

/** One term of a full-text table, and the rows or documents it is in, ascending. */
export interface IndexedTerm {
  readonly term: string
  readonly rows: readonly number[]
}

/** A session's title as it is in the session's row. */
export interface IndexedTitle {
  readonly row: number
  readonly id: string
  readonly project: string
  readonly folded: string
}

/** A message, and the document with its texts, if there is one. */
export interface IndexedMessage {
  readonly row: number
  readonly id: string
  readonly session: string
  readonly created: number
  readonly pending: number
  readonly document: number | null
}

/**
 * Statements that compare the full-text tables with what they are made from, and fill them anew. In raw SQL like `TextStatements`,
 * since Drizzle does not know FTS5.
 */
export class FullTextStatements {
  readonly #db: Drizzle
  readonly #terms
  readonly #titles
  readonly #messages
  readonly #notDocuments

  constructor(db: Drizzle) {
    this.#db = db
    this.#terms = { titles: lazy(() => termsOf(db, "titles")), texts: lazy(() => termsOf(db, "texts")) }
    const { row, id, project, folded } = sessions
    this.#titles = lazy(() =>
      db
        .select({ row, id, project, folded })
        .from(sessions)
        .where(and(gt(row, placeholder("after")), isNotNull(folded)))
        .orderBy(asc(row))
        .limit(placeholder("limit"))
        .prepare(),
    )
    this.#messages = lazy(() =>
      db
        .select({
          row: messages.row,
          id: messages.id,
          session: directories.name,
          created: messages.created,
          pending: messages.pending,
          document: documents.id,
        })
        .from(messages)
        .innerJoin(directories, eq(directories.id, messages.directory))
        .leftJoin(documents, eq(documents.message, messages.row))
        .where(gt(messages.row, placeholder("after")))
        .orderBy(asc(messages.row))
        .limit(placeholder("limit"))
        .prepare(),
    )
    this.#notDocuments = lazy(() =>
      db
        .select({ id: sql<number>`value` })
        .from(sql`json_each(${placeholder("ids")})`)
        .where(sql`not exists (select 1 from ${documents} where ${documents.id} = value)`)
        .prepare(),
    )
  }

  /**
   * Whether `titles` is sound and holds what the sessions' rows do, by FTS5's own check (sqlite.org/fts5.html, 6.5). Call it in a write
   * transaction, since the check is spelled as an insert.
   */
  titlesAgree(): boolean {
    try {
      this.#db.run(sql`insert into titles (titles, rank) values ('integrity-check', 1)`)
      return true
    } catch (error) {
      if (systemCode(rootCause(error)) === "SQLITE_CORRUPT_VTAB") return false
      throw error
    }
  }

  /**
   * Makes FTS5 see what other connections have committed. It caches the list of a table's segments and checks that only when a cursor is
   * opened. SQLite's integrity check opens none, and would report segments as missing that were merged (SQLite 3.54.1).
   */
  seeOthers(): void {
    for (const table of ["titles", "texts"])
      this.#db.all(sql`select rowid from ${sql.identifier(table)} where rowid = 0`)
  }

  /** The terms of a table after `after`, in SQLite's order of texts. */
  terms(table: FullTextTable, after: string, limit: number): IndexedTerm[] {
    return this.#terms[table]()
      .values({ after, limit })
      .map(([term, rows]) => ({
        term: soundText("term", term),
        // An array of row ids: the query itself made it.
        rows: JSON.parse(soundText("rows", rows)) as number[],
      }))
  }

  /** Sessions with a title, in the order of their rows, after a row. */
  titles(after: number, limit: number): IndexedTitle[] {
    return this.#titles()
      .all({ after, limit })
      .map((title) => ({ ...title, folded: soundText("folded", title.folded) }))
  }

  /** Messages in the order of their rows, after a row. */
  messages(after: number, limit: number): IndexedMessage[] {
    return this.#messages()
      .all({ after, limit })
      .map((message) => ({ ...message, created: soundNumber("created", message.created) }))
  }

  /** Those of these ids that are not the id of a document. */
  notDocuments(ids: Iterable<number>): number[] {
    return this.#notDocuments()
      .values({ ids: JSON.stringify([...ids]) })
      .map(([id]) => soundNumber("id", id))
  }

  /** Fills `titles` anew from the sessions' rows. */
  refillTitles(): void {
    this.#db.run(sql`insert into titles (titles) values ('rebuild')`)
  }

  /** Empties `texts` and marks every message as pending, so that searches read it until its texts are put in again. */
  emptyTexts(): void {
    // Before the documents are deleted: their trigger would otherwise delete each text one by one.
    this.#db.run(sql`insert into texts (texts) values ('delete-all')`)
    this.#db.run(sql`delete from ${documents}`)
    this.#db.run(sql`update ${messages} set ${sql.identifier("pending")} = 1 | abs(random() % 2147483646)`)
  }
}

/** Prepares a query of the terms of a full-text table (fts5vocab, sqlite.org/fts5.html, 8). Its temporary table ends with the connection. */
function termsOf(db: Drizzle, table: FullTextTable) {
  const name = sql.identifier(`${table}_terms`)
  db.run(
    sql`create virtual table if not exists temp.${name} using fts5vocab('main', ${sql.raw(`'${table}'`)}, 'instance')`,
  )
  return db
    .select({ term: sql<string>`term`, rows: sql<string>`json_group_array(doc)` })
    .from(sql`temp.${name}`)
    .where(sql`term > ${placeholder("after")}`)
    .groupBy(sql`term`)
    .limit(placeholder("limit"))
    .prepare()
}
