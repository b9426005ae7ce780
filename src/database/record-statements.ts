import { and, asc, type Column, eq, getColumns, gt, isNotNull, isNull, type SQL, sql } from "drizzle-orm"
import type { StoreErrorCode } from "../errors.ts"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { ManyRows, parametersOf, type RowOfParameters } from "./many-rows.ts"
import { directories, type messages, type parts, sessions } from "./schema.ts"
import { soundBytes, soundNumber, soundText } from "./sound.ts"

/** Which version of a record's file a row was read from. */
export interface RecordStamp {
  readonly id: string
  readonly stamp: Uint8Array | null
  readonly size: number
  readonly problem: string | null
  /** The mark of the declaration whose fields the index has of a session, if it was asked for. */
  readonly fields?: string | null
}

/** A page of the stamps of a folder's rows, in the order of their ids. */
export interface StampPage {
  readonly rows: readonly RecordStamp[]
  /** Whether no rows follow these. */
  readonly complete: boolean
}

/** A record file that could not be read. */
export interface RecordProblem {
  readonly id: string
  readonly problem: StoreErrorCode
  readonly problemMessage: string
}

/** A record file that could not be read, with the folder it lies in. */
export interface LocatedProblem extends RecordProblem {
  readonly directory: number
  readonly folder: string
}

/** A whole row. Its further columns depend on the table. */
export interface RecordRow extends RecordStamp {
  readonly [column: string]: unknown
}

type AfterPut = (rows: readonly Readonly<Record<string, unknown>>[]) => void

type RecordTable = typeof sessions | typeof messages | typeof parts

const { placeholder } = sql

/** The columns that name a row. */
const KEY: ReadonlySet<string> = new Set(["directory", "id"])
/** Indexed columns that hardly ever change while a record is there. */
const LASTING: ReadonlySet<string> = new Set(["project", "created", "parent", "problem", "problemMessage"])

/** Prepared statements over one of the three record tables. */
export class RecordStatements {
  readonly #rows
  readonly #put
  readonly #putAlike
  readonly #distrust
  readonly #doubt
  readonly #stamps
  readonly #markedStamps
  readonly #firstStamps
  readonly #firstMarkedStamps
  readonly #remove
  readonly #problems
  readonly #allProblems
  readonly #folders
  readonly #afterPut: AfterPut

  /** @param afterPut called with rows that were put, in the same transaction, to put what is derived from them */
  constructor(db: Drizzle, table: RecordTable, afterPut: AfterPut = () => {}) {
    this.#afterPut = afterPut
    const { directory, id, stamp, size, problem, problemMessage } = table
    const columns = Object.entries<Column>(getColumns(table)).filter(([name]) => name !== "row")
    const names = columns.map(([name]) => name)
    const given = (name: string) => sql`excluded.${sql.identifier(name)}`
    const putting = (rows: RowOfParameters[], setting: readonly string[], setWhere?: SQL) =>
      db
        .insert(table)
        .values(rows as unknown as (typeof table.$inferInsert)[])
        .onConflictDoUpdate({
          target: [directory, id],
          set: Object.fromEntries(setting.map((name) => [name, given(name)])),
          ...(setWhere && { setWhere }),
        })
    const changed = names.filter((name) => !KEY.has(name))
    this.#put = new ManyRows(names, (rows) => putting(rows, changed).prepare())
    this.#putAlike = lazy(() => {
      const lasting = columns.filter(([name]) => LASTING.has(name))
      const alike = and(...lasting.map(([name, column]) => sql`${given(name)} is ${column}`))
      const others = changed.filter((name) => !LASTING.has(name))
      return putting([parametersOf(names)], others, alike)
        .returning({ id })
        .prepare()
    })
    this.#rows = lazy(() =>
      db
        .select()
        .from(table)
        .where(and(eq(directory, placeholder("directory")), gt(id, placeholder("after"))))
        .orderBy(asc(id))
        .limit(placeholder("limit"))
        .prepare(),
    )
    this.#distrust = lazy(() =>
      db
        .update(table)
        .set({ stamp: null, ...(table === sessions && { fields: null }) })
        .where(eq(directory, placeholder("directory")))
        .prepare(),
    )
    this.#doubt = lazy(() =>
      db
        .update(table)
        .set({ stamp: null })
        .where(and(eq(directory, placeholder("directory")), eq(id, placeholder("id")), isNull(problem)))
        .returning({ id })
        .prepare(),
    )
    const mark = (isMarked: boolean) => isMarked && table === sessions && { fields: sessions.fields }
    const stamps = (isMarked: boolean) =>
      db
        .select({ id, stamp, size, problem, ...mark(isMarked) })
        .from(table)
        .where(and(eq(directory, placeholder("directory")), gt(id, placeholder("after"))))
        .orderBy(asc(id))
        .limit(placeholder("limit"))
        .prepare()
    const firstStamps = (isMarked: boolean) =>
      db
        .select({ directory, id, stamp, size, problem, ...mark(isMarked) })
        .from(table)
        .where(amongst(directory, "directories"))
        .orderBy(asc(directory), asc(id))
        .limit(placeholder("limit"))
        .prepare()
    this.#stamps = lazy(() => stamps(false))
    this.#markedStamps = lazy(() => stamps(true))
    this.#firstStamps = lazy(() => firstStamps(false))
    this.#firstMarkedStamps = lazy(() => firstStamps(true))
    this.#remove = lazy(() =>
      db
        .delete(table)
        .where(and(eq(directory, placeholder("directory")), eq(id, placeholder("id"))))
        .prepare(),
    )
    this.#problems = lazy(() =>
      db
        .select({ id, problem, problemMessage })
        .from(table)
        .where(and(eq(directory, placeholder("directory")), isNotNull(problem)))
        .orderBy(asc(id))
        .prepare(),
    )
    this.#folders = lazy(() =>
      db
        .select({ name: directories.name })
        .from(table)
        .innerJoin(directories, eq(directories.id, directory))
        .where(eq(id, placeholder("id")))
        .orderBy(asc(directories.name))
        .prepare(),
    )
    this.#allProblems = lazy(() =>
      db
        .select({ directory, id, folder: directories.name, problem, problemMessage })
        .from(table)
        .innerJoin(directories, eq(directories.id, directory))
        .where(
          and(
            isNotNull(problem),
            sql`(${directory}, ${id}) > (${placeholder("afterDirectory")}, ${placeholder("afterId")})`,
          ),
        )
        .orderBy(asc(directory), asc(id))
        .limit(placeholder("limit"))
        .prepare(),
    )
  }

  /**
   * Stamps of a folder's rows with ids after `after`, in the order of `compareText`.
   * @param marked whether to select the marks of declarations too
   */
  stamps(directory: number, after: string, limit: number, marked = false): RecordStamp[] {
    const statement = marked ? this.#markedStamps() : this.#stamps()
    return statement
      .values({ directory, after, limit })
      .map(([id, stamp, size, problem, fields]) => soundStamp({ id, stamp, size, problem, fields }))
  }

  /** Stamps of the first rows of several folders, by folder row, each page in the order of `compareText`; `limit` rows in all. */
  firstStamps(directories: readonly number[], limit: number, marked = false): Map<number, StampPage> {
    // As plain arrays: making an object of each row takes longer than the query.
    const statement = marked ? this.#firstMarkedStamps() : this.#firstStamps()
    const rows = statement.values({ directories: JSON.stringify(directories), limit })
    const reached =
      rows.length < limit ? Number.POSITIVE_INFINITY : soundNumber("directory", rows.at(-1)?.[0])
    const pages = new Map<number, { rows: RecordStamp[]; complete: boolean }>()
    for (const id of directories) pages.set(id, { rows: [], complete: id < reached })
    for (const [directory, id, stamp, size, problem, fields] of rows)
      pages
        .get(soundNumber("directory", directory))
        ?.rows.push(soundStamp({ id, stamp, size, problem, fields }))
    return pages
  }

  /** As `stamps`, with all columns. */
  rows(directory: number, after: string, limit: number): RecordRow[] {
    return this.#rows()
      .all({ directory, after, limit })
      .map((row) => ({ ...row, ...soundStamp({ fields: null, ...row }) }))
  }

  /** Inserts rows, or replaces those with the same directory and id. Each must name every column of the table. */
  put(rows: readonly Readonly<Record<string, unknown>>[]): void {
    for (const [statement, parameters] of this.#put.of(rows)) statement.run(parameters)
    this.#afterPut(rows)
  }

  /**
   * As `put`, for one record that was just written. SQLite updates an index if any of its columns is named in an update, changed or not.
   * So the columns that hardly ever change are named only if they did.
   */
  putWritten(row: Readonly<Record<string, unknown>>): void {
    if (this.#putAlike().values(row).length === 0) this.put([row])
    else this.#afterPut([row])
  }

  /** Clears the stamps of a folder's rows, so that every file in it is read again. */
  distrust(directory: number): void {
    this.#distrust().run({ directory })
  }

  /** Clears the stamp of a row whose record is said to be readable. Returns whether there is such a row. */
  doubt(directory: number, id: string): boolean {
    return this.#doubt().values({ directory, id }).length > 0
  }

  remove(directory: number, id: string): void {
    this.#remove().run({ directory, id })
  }

  /** The unreadable records of a folder, in the order of their ids. */
  problems(directory: number): RecordProblem[] {
    return this.#problems().all({ directory }).map(asProblem)
  }

  /** The unreadable records of all folders after a position, in the order of folder row and id. */
  allProblems(after: { directory: number; id: string }, limit: number): LocatedProblem[] {
    return this.#allProblems()
      .all({ afterDirectory: after.directory, afterId: after.id, limit })
      .map((row) => ({ ...row, ...asProblem(row) }))
  }

  /** The folders in which a record of that id was last seen. */
  folders(id: string): string[] {
    return this.#folders()
      .all({ id })
      .map((row) => soundText("name", row.name))
  }
}

function soundStamp({
  id,
  stamp,
  size,
  problem,
  fields,
}: Readonly<Record<keyof RecordStamp, unknown>>): RecordStamp {
  return {
    id: soundText("id", id),
    stamp: soundBytes("stamp", stamp),
    size: soundNumber("size", size),
    problem: problem === null ? null : soundText("problem", problem),
    // Anything else is no mark, so the file will be read again.
    fields: typeof fields === "string" ? fields : null,
  }
}

function asProblem(row: {
  id: string
  problem: string | null
  problemMessage: string | null
}): RecordProblem {
  // Only the code of a fault is ever written to this column.
  return {
    id: soundText("id", row.id),
    problem: row.problem as StoreErrorCode,
    problemMessage: row.problemMessage ?? "",
  }
}
