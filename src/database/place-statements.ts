import { and, asc, eq, isNull, type SQL, sql } from "drizzle-orm"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { ManyRows } from "./many-rows.ts"
import { directories, messagePlaces, sessions } from "./schema.ts"
import { soundNumber, soundText } from "./sound.ts"

/** Where the lines of a message lie. */
export interface PlaceRow {
  readonly id: string
  readonly container: number
  readonly place: string
}

const { placeholder } = sql

/** Prepared statements over the places of messages in transcripts. */
export class PlaceStatements {
  readonly #places
  readonly #placesOf
  readonly #count
  readonly #uncounted
  readonly #setParts
  readonly #allParts
  readonly #allSessions
  readonly #allPlaces
  readonly #putPlace
  readonly #removePlace

  constructor(db: Drizzle) {
    const { directory, id: message, container: holder, place } = messagePlaces
    const placesWhere = (condition: SQL | undefined) =>
      db.select({ id: message, container: holder, place }).from(messagePlaces).where(condition).prepare()
    this.#places = lazy(() => placesWhere(eq(directory, placeholder("directory"))))
    this.#placesOf = lazy(() =>
      placesWhere(and(eq(directory, placeholder("directory")), amongst(message, "ids"))),
    )
    this.#count = lazy(() =>
      db
        .select({ count: sql<number>`count(*)` })
        .from(messagePlaces)
        .where(eq(directory, placeholder("directory")))
        .prepare(),
    )
    this.#uncounted = lazy(() =>
      db
        .select({ session: directories.name, id: message })
        .from(messagePlaces)
        .innerJoin(directories, eq(directories.id, directory))
        .where(isNull(messagePlaces.parts))
        .orderBy(asc(directory), asc(message))
        .limit(placeholder("limit"))
        .prepare(),
    )
    this.#setParts = lazy(() =>
      db
        .update(messagePlaces)
        .set({ parts: sql`${placeholder("parts")}` })
        .where(and(eq(message, placeholder("id")), eq(place, placeholder("place"))))
        .prepare(),
    )
    this.#allParts = lazy(() =>
      db
        .select({ count: sql<number>`coalesce(sum(${messagePlaces.parts}), 0)` })
        .from(messagePlaces)
        .prepare(),
    )
    const count = sql<number>`count(*)`
    this.#allSessions = lazy(() => db.select({ count }).from(sessions).prepare())
    this.#allPlaces = lazy(() => db.select({ count }).from(messagePlaces).prepare())
    this.#putPlace = new ManyRows(["directory", "id", "container", "place"], (rows) =>
      db
        .insert(messagePlaces)
        .values(rows as unknown as (typeof messagePlaces.$inferInsert)[])
        .onConflictDoUpdate({
          target: [directory, message],
          set: {
            container: sql`excluded.${sql.identifier("container")}`,
            place: sql`excluded.${sql.identifier("place")}`,
            parts: null,
          },
        })
        .prepare(),
    )
    this.#removePlace = lazy(() =>
      db
        .delete(messagePlaces)
        .where(and(eq(directory, placeholder("directory")), amongst(message, "ids")))
        .prepare(),
    )
  }

  /** Where the messages of a folder lie: all messages, or these. */
  of(directory: number, ids?: readonly string[]): PlaceRow[] {
    const rows = ids
      ? this.#placesOf().values({ directory, ids: JSON.stringify(ids) })
      : this.#places().values({ directory })
    return rows.map(([id, container, place]) => ({
      id: soundText("id", id),
      container: soundNumber("container", container),
      place: soundText("place", place),
    }))
  }

  /** How many sessions, messages and parts there are. Parts are those of messages whose parts were counted. */
  counts(): { readonly sessions: number; readonly messages: number; readonly parts: number } {
    return {
      sessions: this.#allSessions().get()?.count ?? 0,
      messages: this.#allPlaces().get()?.count ?? 0,
      parts: this.#allParts().get()?.count ?? 0,
    }
  }

  /** Messages whose parts have not been counted yet. */
  uncounted(limit: number): { readonly session: string; readonly id: string }[] {
    return this.#uncounted().all({ limit })
  }

  /** Notes how many parts messages have, for those that still lie at the same place. */
  setParts(
    messages: readonly { readonly id: string; readonly place: string; readonly parts: number }[],
  ): void {
    for (const { id, place, parts } of messages) this.#setParts().run({ id, place, parts })
  }

  /** How many messages a folder has. */
  count(directory: number): number {
    return this.#count().get({ directory })?.count ?? 0
  }

  put(directory: number, places: readonly PlaceRow[]): void {
    const rows = places.map((place) => ({ directory, ...place }))
    for (const [statement, parameters] of this.#putPlace.of(rows)) statement.run(parameters)
  }

  remove(directory: number, ids: readonly string[]): void {
    this.#removePlace().run({ directory, ids: JSON.stringify(ids) })
  }
}
