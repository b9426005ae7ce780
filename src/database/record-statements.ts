import { and, asc, eq, gt, isNotNull, sql } from "drizzle-orm"
import type { StoreErrorCode } from "../errors.ts"
import type { MessageFields, PartFields, SessionFields } from "../record/extract.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { directories, messages, parts, sessions } from "./schema.ts"

/** Which version of a record's file a row was read from. */
export interface RecordStamp {
  readonly id: string
  readonly stamp: Buffer | null
  readonly size: number
  readonly problem: string | null
}

/** A record file that could not be read. */
export interface RecordProblem {
  readonly id: string
  readonly problem: StoreErrorCode
  readonly problemMessage: string
}

/** The same with the folder it lies in. */
export interface LocatedProblem extends RecordProblem {
  readonly directory: number
  readonly folder: string
}

/** What is stored of every record file. */
export interface RecordFile {
  readonly directory: number
  readonly id: string
  readonly stamp: Uint8Array | null
  readonly size: number
  readonly problem: StoreErrorCode | null
  readonly problemMessage: string | null
}

type RecordTable = typeof sessions | typeof messages | typeof parts

const { placeholder } = sql

/** What the three record tables have in common. */
abstract class RecordStatements {
  readonly #stamps
  readonly #remove
  readonly #problems
  readonly #allProblems
  readonly #folders

  constructor(db: Drizzle, table: RecordTable) {
    const { directory, id, stamp, size, problem, problemMessage } = table
    this.#stamps = lazy(() =>
      db
        .select({ id, stamp, size, problem })
        .from(table)
        .where(and(eq(directory, placeholder("directory")), gt(id, placeholder("after"))))
        .orderBy(asc(id))
        .limit(placeholder("limit"))
        .prepare(),
    )
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

  /** Stamps of a folder's rows with ids after `after`, in the order of `compareText`. */
  stamps(directory: number, after: string, limit: number): RecordStamp[] {
    return this.#stamps().all({ directory, after, limit })
  }

  remove(directory: number, id: string): void {
    this.#remove().run({ directory, id })
  }

  /** The unreadable records of a folder, by id. */
  problems(directory: number): RecordProblem[] {
    return this.#problems().all({ directory }).map(asProblem)
  }

  /** The unreadable records of all folders behind a position, by folder row and id. */
  allProblems(after: { directory: number; id: string }, limit: number): LocatedProblem[] {
    return this.#allProblems()
      .all({ afterDirectory: after.directory, afterId: after.id, limit })
      .map((row) => ({ ...row, ...asProblem(row) }))
  }

  /** The folders in which a record of that id was last seen. */
  folders(id: string): string[] {
    return this.#folders()
      .all({ id })
      .map((row) => row.name)
  }
}

function asProblem(row: {
  id: string
  problem: string | null
  problemMessage: string | null
}): RecordProblem {
  // Only reconcile writes this column, from a fault's code.
  return { id: row.id, problem: row.problem as StoreErrorCode, problemMessage: row.problemMessage ?? "" }
}

const file = {
  directory: placeholder("directory"),
  id: placeholder("id"),
  stamp: placeholder("stamp"),
  size: placeholder("size"),
  problem: placeholder("problem"),
  problemMessage: placeholder("problemMessage"),
}
const fileFromExcluded = {
  stamp: sql`excluded.stamp`,
  size: sql`excluded.size`,
  problem: sql`excluded.problem`,
  problemMessage: sql`excluded."problemMessage"`,
}

export class SessionStatements extends RecordStatements {
  readonly #put

  constructor(db: Drizzle) {
    super(db, sessions)
    this.#put = lazy(() =>
      db
        .insert(sessions)
        .values({
          ...file,
          project: placeholder("project"),
          created: placeholder("created"),
          updated: placeholder("updated"),
          parent: placeholder("parentID"),
          worktree: placeholder("worktree"),
          title: placeholder("title"),
          archived: placeholder("archived"),
        })
        .onConflictDoUpdate({
          target: [sessions.directory, sessions.id],
          set: {
            ...fileFromExcluded,
            created: sql`excluded.created`,
            updated: sql`excluded.updated`,
            parent: sql`excluded.parent`,
            worktree: sql`excluded.worktree`,
            title: sql`excluded.title`,
            archived: sql`excluded.archived`,
          },
        })
        .prepare(),
    )
  }

  put(row: RecordFile, project: string, fields: SessionFields): void {
    const { directory: worktree, ...rest } = fields
    this.#put().run({ ...rest, ...row, project, worktree })
  }
}

export class MessageStatements extends RecordStatements {
  readonly #put

  constructor(db: Drizzle) {
    super(db, messages)
    this.#put = lazy(() =>
      db
        .insert(messages)
        .values({ ...file, created: placeholder("created"), role: placeholder("role") })
        .onConflictDoUpdate({
          target: [messages.directory, messages.id],
          set: { ...fileFromExcluded, created: sql`excluded.created`, role: sql`excluded.role` },
        })
        .prepare(),
    )
  }

  put(row: RecordFile, fields: MessageFields): void {
    this.#put().run({ ...row, ...fields })
  }
}

export class PartStatements extends RecordStatements {
  readonly #put

  constructor(db: Drizzle) {
    super(db, parts)
    this.#put = lazy(() =>
      db
        .insert(parts)
        .values({ ...file, type: placeholder("type"), tool: placeholder("tool") })
        .onConflictDoUpdate({
          target: [parts.directory, parts.id],
          set: { ...fileFromExcluded, type: sql`excluded.type`, tool: sql`excluded.tool` },
        })
        .prepare(),
    )
  }

  put(row: RecordFile, fields: PartFields): void {
    this.#put().run({ ...row, ...fields })
  }
}
