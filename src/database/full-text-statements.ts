import { and, asc, eq, gt, isNotNull, sql } from "drizzle-orm"
import { systemCode } from "../errors.ts"
import type { Drizzle } from "./drizzle.ts"
import { rootCause } from "./failure.ts"
import { lazy } from "./lazy.ts"
import { directories, documents, messages, sessions } from "./schema.ts"
import { soundNumber, soundText } from "./sound.ts"

const { placeholder } = sql

/** The two tables of FTS5: titles of sessions by their row, texts of messages by their document. */
export type FullTextTable = "titles" | "texts"

/** One term of a full-text table, and the rows or documents that it is found in, ascending. */
export interface IndexedTerm {
  readonly term: string
  readonly rows: readonly number[]
}

/** A session's title as its row has it. */
export interface IndexedTitle {
  readonly row: number
  readonly id: string
  readonly project: string
  readonly folded: string
}

/** A message, and the document that holds its texts where there is one. */
export interface IndexedMessage {
  readonly row: number
  readonly id: string
  readonly session: string
  readonly created: number
  readonly pending: number
  readonly document: number | null
}

/**
 * What it takes to hold the full-text tables against what they are made of, and to make them anew. Like `TextStatements` raw SQL,
 * since Drizzle knows nothing of FTS5.
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
   * FTS5's own check that `titles` is sound and holds what the sessions' rows do (sqlite.org/fts5.html, 6.5); what is in the tables
   * themselves SQLite's own check looks at. To be called within a transaction that may write, since it is spelled as an insertion.
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
   * Has FTS5 see what other connections have committed. It keeps the list of a table's segments, and asks whether that is still so when
   * a cursor is opened; SQLite's own check of the file opens none, and calls segments missing that were merged (SQLite 3.54.1).
   */
  seeOthers(): void {
    for (const table of ["titles", "texts"])
      this.#db.all(sql`select rowid from ${sql.identifier(table)} where rowid = 0`)
  }

  /** The terms of a table behind one, so many, in SQLite's order of texts. */
  terms(table: FullTextTable, after: string, limit: number): IndexedTerm[] {
    return this.#terms[table]()
      .values({ after, limit })
      .map(([term, rows]) => ({
        term: soundText("term", term),
        // An array of row ids, as the query itself has made it.
        rows: JSON.parse(soundText("rows", rows)) as number[],
      }))
  }

  /** Sessions with a title, by row. */
  titles(after: number, limit: number): IndexedTitle[] {
    return this.#titles()
      .all({ after, limit })
      .map((title) => ({ ...title, folded: soundText("folded", title.folded) }))
  }

  /** All messages, by row. */
  messages(after: number, limit: number): IndexedMessage[] {
    return this.#messages()
      .all({ after, limit })
      .map((message) => ({ ...message, created: soundNumber("created", message.created) }))
  }

  /** Those of these ids that no document has. */
  notDocuments(ids: Iterable<number>): number[] {
    return this.#notDocuments()
      .values({ ids: JSON.stringify([...ids]) })
      .map(([id]) => soundNumber("id", id))
  }

  /** Fills `titles` anew from the sessions' rows. */
  refillTitles(): void {
    this.#db.run(sql`insert into titles (titles) values ('rebuild')`)
  }

  /** Empties `texts`; every message then waits for its texts to be put, and until then is looked into by searches. */
  emptyTexts(): void {
    // First, so that the documents' trigger finds nothing left to mark as gone.
    this.#db.run(sql`insert into texts (texts) values ('delete-all')`)
    this.#db.run(sql`delete from ${documents}`)
    this.#db.run(sql`update ${messages} set ${sql.identifier("pending")} = 1 | abs(random() % 2147483646)`)
  }
}

/** Asks a table of FTS5 that lists each term with the rows it is found in (sqlite.org/fts5.html, 8); it goes with the connection. */
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
