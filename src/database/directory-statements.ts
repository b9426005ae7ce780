import { and, asc, between, eq, gt, sql } from "drizzle-orm"
import type { CollectionKind, Place } from "../record/kind.ts"
import { compareText } from "../record/order.ts"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { ManyRows } from "./many-rows.ts"
import { directories } from "./schema.ts"
import { soundBytes, soundNumber, soundText } from "./sound.ts"

/** What the index knows of one folder. */
export interface DirectoryRow {
  readonly id: number
  readonly stamp: Uint8Array | null
  readonly size: number
  readonly generation: number
  readonly entries: number
}

/** Under which stamp all names of a folder were read, and how many record files there were. */
export interface Settlement {
  readonly stamp: Uint8Array | null
  readonly size: number
  readonly entries: number
}

/** The settlement of a folder whose names have not been read yet. */
export const UNSETTLED: Settlement = { stamp: null, size: 0, entries: 0 }

const { placeholder } = sql
/** SQLite's "no limit". */
const ALL = -1

/** Prepared statements over `directories`. */
export class DirectoryStatements {
  readonly #find
  readonly #findAll
  readonly #anyBetween
  readonly #create
  readonly #touch
  readonly #dropStamp
  readonly #settle
  readonly #remove
  readonly #page
  readonly #totals

  constructor(db: Drizzle) {
    const { id, kind, name, stamp, size, generation, entries } = directories
    this.#find = lazy(() =>
      db
        .select({ id, stamp, size, generation, entries })
        .from(directories)
        .where(and(eq(kind, placeholder("kind")), eq(name, placeholder("name"))))
        .prepare(),
    )
    this.#findAll = lazy(() =>
      db
        .select({ id, name, stamp, size, generation, entries })
        .from(directories)
        .where(and(eq(kind, placeholder("kind")), amongst(name, "names")))
        .prepare(),
    )
    this.#anyBetween = lazy(() =>
      db
        .select({ id })
        .from(directories)
        .where(
          and(eq(kind, placeholder("kind")), between(name, placeholder("least"), placeholder("greatest"))),
        )
        .limit(1)
        .prepare(),
    )
    this.#create = new ManyRows(["kind", "name", "stamp", "size", "entries"], (rows) =>
      db
        .insert(directories)
        .values(rows as unknown as (typeof directories.$inferInsert)[])
        .returning({ id, name })
        .prepare(),
    )
    this.#touch = lazy(() =>
      db
        .update(directories)
        .set({ generation: sql`${generation} + 1` })
        .where(eq(id, placeholder("id")))
        .prepare(),
    )
    this.#dropStamp = lazy(() =>
      db
        .update(directories)
        .set({ generation: sql`${generation} + 1`, stamp: null })
        .where(eq(id, placeholder("id")))
        .prepare(),
    )
    this.#settle = lazy(() =>
      db
        .update(directories)
        .set({
          generation: sql`${generation} + 1`,
          stamp: sql`${placeholder("stamp")}`,
          size: sql`${placeholder("size")}`,
          entries: sql`${placeholder("entries")}`,
        })
        .where(eq(id, placeholder("id")))
        .prepare(),
    )
    this.#remove = lazy(() =>
      db
        .delete(directories)
        .where(eq(id, placeholder("id")))
        .prepare(),
    )
    this.#page = lazy(() =>
      db
        .select({ name })
        .from(directories)
        .where(and(eq(kind, placeholder("kind")), gt(name, placeholder("after"))))
        .orderBy(asc(name))
        .limit(placeholder("limit"))
        .prepare(),
    )
    this.#totals = lazy(() =>
      db
        .select({ kind, files: sql<number>`sum(${entries})` })
        .from(directories)
        .groupBy(kind)
        .prepare(),
    )
  }

  find(place: Place): DirectoryRow | undefined {
    const row = this.#find().get({ kind: place.kind, name: place.folder })
    return row && soundRow(row)
  }

  /** The rows of several folders of one kind, in no order. Folders without a row are left out. */
  findAll(kind: CollectionKind, names: readonly string[]): (DirectoryRow & { readonly name: string })[] {
    const [first] = names
    if (first === undefined) return []
    const [least, greatest] = names.reduce(
      ([low, high], name) => [
        compareText(name, low) < 0 ? name : low,
        compareText(name, high) > 0 ? name : high,
      ],
      [first, first],
    )
    // A first indexing asks for thousands of neighbouring folders that have no rows yet: one question answers for all.
    if (!this.#anyBetween().get({ kind, least, greatest })) return []
    // As plain arrays: making an object of each row takes longer than the query.
    return this.#findAll()
      .values({ kind, names: JSON.stringify(names) })
      .map(([id, name, stamp, size, generation, entries]) => ({
        ...soundRow({ id, stamp, size, generation, entries }),
        name: soundText("name", name),
      }))
  }

  /** Makes the folder's row, with generation 0 and an unknown stamp. */
  create({ kind, folder }: Place): DirectoryRow {
    const row = this.createAll(kind, [{ name: folder, ...UNSETTLED }]).get(folder)
    if (!row) throw new Error("SQLite returned no row for an insert")
    return row
  }

  /** Makes the rows of several folders of one kind, with generation 0, and returns them by name. */
  createAll(
    kind: CollectionKind,
    folders: readonly (Settlement & { readonly name: string })[],
  ): Map<string, DirectoryRow> {
    const ids = new Map<string, number>()
    // Matched by name, since SQLite may return rows in another order than the values.
    for (const [statement, parameters] of this.#create.of(folders.map((folder) => ({ kind, ...folder }))))
      for (const [id, name] of statement.values(parameters))
        ids.set(soundText("name", name), soundNumber("id", id))
    const rows = new Map<string, DirectoryRow>()
    for (const { name, stamp, size, entries } of folders) {
      const id = ids.get(name)
      if (id !== undefined) rows.set(name, { id, stamp, size, generation: 0, entries })
    }
    return rows
  }

  /** Notes that rows of the folder changed and, with a settlement, its stamp. Returns the row's new state. */
  change(row: DirectoryRow, settlement: Settlement | undefined): DirectoryRow {
    if (settlement) this.settle(row.id, settlement)
    else this.touch(row.id)
    return { ...row, ...settlement, generation: row.generation + 1 }
  }

  /** Notes that rows of the folder changed. */
  touch(id: number): void {
    this.#touch().run({ id })
  }

  /** Notes that rows of the folder changed, and that no stamp proves its names any more. */
  dropStamp(id: number): void {
    this.#dropStamp().run({ id })
  }

  /** Notes that rows of the folder changed, and the stamp under which all names were read. */
  settle(id: number, settlement: Settlement): void {
    this.#settle().run({ id, ...settlement })
  }

  /** Removes the folder's row and all rows in it. */
  remove(id: number): void {
    this.#remove().run({ id })
  }

  /** Folder names of one kind after `after`, in the order of `compareText`. */
  names(kind: CollectionKind, after: string, limit: number): string[] {
    return this.#page()
      .all({ kind, after, limit })
      .map((row) => soundText("name", row.name))
  }

  /** The names of all projects, which are few. Other kinds have to be read in pages, with `names`. */
  allNames(kind: "session"): string[] {
    return this.names(kind, "", ALL)
  }

  /** How many record files the folders of each kind held when they were last settled. */
  totals(): Record<CollectionKind, number> {
    const totals = { session: 0, message: 0, part: 0 }
    for (const { kind, files } of this.#totals().all()) totals[kind] = files
    return totals
  }
}

function soundRow(row: Readonly<Record<keyof DirectoryRow, unknown>>): DirectoryRow {
  return {
    id: soundNumber("id", row.id),
    stamp: soundBytes("stamp", row.stamp),
    size: soundNumber("size", row.size),
    generation: soundNumber("generation", row.generation),
    entries: soundNumber("entries", row.entries),
  }
}
