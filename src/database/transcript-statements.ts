import { and, asc, desc, eq, sql } from "drizzle-orm"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { ManyRows, parametersOf } from "./many-rows.ts"
import { PlaceStatements } from "./place-statements.ts"
import { containerSessions, containerStates, containers, sessions, statePieces } from "./schema.ts"
import { soundBytes, soundNumber, soundText } from "./sound.ts"

/** What tells whether a container is unchanged since it was read. */
export interface ContainerLook {
  readonly row: number
  readonly folder: string
  readonly name: string
  readonly look: Uint8Array | null
  readonly sides: string
  readonly format: number
}

/** A container's row. */
export interface ContainerRow {
  readonly folder: string
  readonly name: string
  readonly look: Uint8Array | null
  readonly marks: string
  readonly sides: string
  readonly format: number
  readonly problems: string
}

/** Identifies the reading of a container that rows are from. */
export interface ContainerReading {
  readonly marks: string
  readonly sides: string
}

/** How far a container was read for its saved state, which may be less far than for its rows. */
interface Checked {
  readonly checkpoint: string
}

/** The saved state that reading a container goes on from. */
export interface ContainerState extends Checked {
  readonly state: string
}

/** A state to be saved, in pieces of one text. */
export interface StateInPieces extends Checked {
  /** Called again if the transaction is repeated. */
  pieces(): Iterable<string>
}

/** A session that a container holds. */
export interface HeldSession {
  readonly id: string
  readonly project: string
  readonly updated: number
}

const { placeholder } = sql

/** Prepared statements over the containers of transcripts and the sessions in them. */
export class TranscriptStatements {
  readonly #version
  readonly #looks
  readonly #container
  readonly #row
  readonly #state
  readonly #trust
  readonly #putState
  readonly #putPiece
  readonly #dropState
  readonly #put
  readonly #doubt
  readonly #remove
  readonly #held
  readonly #putHeld
  readonly #dropHeld
  readonly #holders
  readonly #bodies
  /** The places of messages. */
  readonly places: PlaceStatements

  constructor(db: Drizzle) {
    this.places = new PlaceStatements(db)
    const { row, folder, name, look, marks, sides, format, problems } = containers
    const { checkpoint } = containerStates
    const { at, piece } = statePieces
    this.#version = lazy(() =>
      db
        .select({ own: sql<number>`total_changes()`, others: sql<number>`data_version` })
        .from(sql`pragma_data_version`)
        .prepare(),
    )
    this.#looks = lazy(() =>
      db
        .select({ row, folder, name, look, sides, format })
        .from(containers)
        .orderBy(asc(folder), asc(name))
        .prepare(),
    )
    this.#container = lazy(() =>
      db
        .select({
          folder,
          name,
          look,
          marks,
          sides,
          format,
          problems,
          hasState: sql<number>`${containerStates.container} is not null`,
        })
        .from(containers)
        .leftJoin(containerStates, eq(containerStates.container, row))
        .where(eq(row, placeholder("row")))
        .prepare(),
    )
    this.#row = lazy(() =>
      db
        .select({ row })
        .from(containers)
        .where(and(eq(folder, placeholder("folder")), eq(name, placeholder("name"))))
        .prepare(),
    )
    this.#state = lazy(() =>
      db
        .select({ checkpoint, piece })
        .from(containerStates)
        .innerJoin(statePieces, eq(statePieces.container, containerStates.container))
        .where(eq(containerStates.container, placeholder("row")))
        .orderBy(asc(at))
        .prepare(),
    )
    this.#trust = lazy(() =>
      db
        .update(containers)
        .set({
          look: sql`${placeholder("look")}`,
          marks: sql`${placeholder("marks")}`,
          sides: sql`${placeholder("sides")}`,
          problems: sql`${placeholder("problems")}`,
        })
        .where(
          and(
            eq(folder, placeholder("folder")),
            eq(name, placeholder("name")),
            eq(marks, placeholder("marksBefore")),
            eq(sides, placeholder("sidesBefore")),
          ),
        )
        .returning({ row })
        .prepare(),
    )
    const columns = ["folder", "name", "look", "marks", "sides", "format", "problems"]
    this.#put = lazy(() =>
      db
        .insert(containers)
        .values(parametersOf(columns) as unknown as typeof containers.$inferInsert)
        .onConflictDoUpdate({
          target: [folder, name],
          set: Object.fromEntries(
            columns.slice(2).map((column) => [column, sql`excluded.${sql.identifier(column)}`]),
          ),
        })
        .returning({ row })
        .prepare(),
    )
    this.#putState = lazy(() =>
      db
        .insert(containerStates)
        .values(parametersOf(["container", "checkpoint"]) as unknown as typeof containerStates.$inferInsert)
        .prepare(),
    )
    this.#putPiece = lazy(() =>
      db
        .insert(statePieces)
        .values(parametersOf(["container", "at", "piece"]) as unknown as typeof statePieces.$inferInsert)
        .prepare(),
    )
    this.#dropState = lazy(() =>
      db
        .delete(containerStates)
        .where(eq(containerStates.container, placeholder("row")))
        .prepare(),
    )
    this.#doubt = lazy(() =>
      db
        .update(containers)
        .set({ look: null })
        .where(eq(row, placeholder("row")))
        .prepare(),
    )
    this.#remove = lazy(() =>
      db
        .delete(containers)
        .where(eq(row, placeholder("row")))
        .prepare(),
    )
    const { container, id, project, updated } = containerSessions
    this.#held = lazy(() =>
      db
        .select({ id, project, updated })
        .from(containerSessions)
        .where(eq(container, placeholder("row")))
        .prepare(),
    )
    this.#putHeld = new ManyRows(["container", "id", "project", "updated"], (rows) =>
      db
        .insert(containerSessions)
        .values(rows as unknown as (typeof containerSessions.$inferInsert)[])
        .prepare(),
    )
    this.#dropHeld = lazy(() =>
      db
        .delete(containerSessions)
        .where(eq(container, placeholder("row")))
        .prepare(),
    )
    this.#holders = lazy(() =>
      db
        .select({ container, project })
        .from(containerSessions)
        .innerJoin(containers, eq(row, container))
        .where(eq(id, placeholder("id")))
        .orderBy(desc(updated), desc(folder), desc(name))
        .prepare(),
    )
    this.#bodies = lazy(() =>
      db
        .select({ id: sessions.id, body: sessions.body })
        .from(sessions)
        .where(and(eq(sessions.directory, placeholder("directory")), amongst(sessions.id, "ids")))
        .prepare(),
    )
  }

  /** A text that changes with every change that any process commits to the index. */
  version(): string {
    const { own, others } = this.#version().get() ?? {}
    return `${own} ${others}`
  }

  /** The stats of all containers, in the order of folder and name. */
  looks(): ContainerLook[] {
    // As plain arrays: making an object of each row takes longer than the query.
    return this.#looks()
      .values()
      .map(([row, folder, name, look, sides, format]) => ({
        row: soundNumber("row", row),
        folder: soundText("folder", folder),
        name: soundText("name", name),
        look: soundBytes("look", look),
        sides: soundText("sides", sides),
        format: soundNumber("format", format),
      }))
  }

  container(row: number): (ContainerRow & { readonly hasState: boolean }) | undefined {
    const found = this.#container().get({ row })
    return (
      found && {
        folder: soundText("folder", found.folder),
        name: soundText("name", found.name),
        look: soundBytes("look", found.look),
        marks: soundText("marks", found.marks),
        sides: soundText("sides", found.sides),
        format: soundNumber("format", found.format),
        problems: soundText("problems", found.problems),
        hasState: Boolean(found.hasState),
      }
    )
  }

  rowOf(folder: string, name: string): number | undefined {
    const found = this.#row().get({ folder, name })
    return found && soundNumber("row", found.row)
  }

  /** The saved state that reading a container goes on from. */
  state(row: number): ContainerState | undefined {
    const found = this.#state().all({ row })
    return (
      found[0] && {
        state: found.map(({ piece }) => soundText("piece", piece)).join(""),
        checkpoint: soundText("checkpoint", found[0].checkpoint),
      }
    )
  }

  /** Inserts or replaces the container with that folder and name, and returns its row. Its saved state is kept. */
  put(container: ContainerRow): number {
    return soundNumber("row", this.#put().get({ ...container })?.row)
  }

  /** Deletes a container's saved state, so that after an interruption reading begins at the beginning. */
  dropState(row: number): void {
    this.#dropState().run({ row })
  }

  /**
   * Notes the stats under which a container's rows equal its files, and the state to go on from.
   * @param of the reading that its rows are from
   * @param state `undefined` if the saved state is still good
   * @returns false if another process has put the container since; then nothing is noted
   */
  trust(
    { look, marks, sides, problems, folder, name }: Omit<ContainerRow, "format">,
    of: ContainerReading,
    state?: StateInPieces,
  ): boolean {
    const before = { marksBefore: of.marks, sidesBefore: of.sides }
    const trusted = this.#trust().get({ look, marks, sides, problems, folder, name, ...before })
    if (trusted && state) this.#replaceState(trusted.row, state)
    return trusted !== undefined
  }

  #replaceState(container: number, { checkpoint, pieces }: StateInPieces): void {
    this.dropState(container)
    this.#putState().run({ container, checkpoint })
    let at = 0
    for (const piece of pieces()) this.#putPiece().run({ container, at: at++, piece })
  }

  /** Makes the next look at a container read it again from its beginning. */
  doubt(row: number): void {
    this.#doubt().run({ row })
    this.dropState(row)
  }

  /** Removes a container, but not the rows of its sessions and messages. */
  remove(row: number): void {
    this.#remove().run({ row })
  }

  /** The sessions that a container holds, also those that are read from another one. */
  held(row: number): HeldSession[] {
    return this.#held()
      .all({ row })
      .map(({ id, project, updated }) => ({
        id: soundText("id", id),
        project: soundText("project", project),
        updated: soundNumber("updated", updated),
      }))
  }

  putHeld(row: number, sessions: readonly HeldSession[]): void {
    this.#dropHeld().run({ row })
    const rows = sessions.map((session) => ({ container: row, ...session }))
    for (const [statement, parameters] of this.#putHeld.of(rows)) statement.run(parameters)
  }

  /** The container that a session is read from: the one with the newest copy. */
  holder(id: string): { readonly container: number; readonly project: string } | undefined {
    const found = this.#holders().get({ id })
    return (
      found && {
        container: soundNumber("container", found.container),
        project: soundText("project", found.project),
      }
    )
  }

  /** The bodies of sessions of a project, by id. */
  bodies(directory: number, ids: readonly string[]): Map<string, string> {
    const rows = this.#bodies().values({ directory, ids: JSON.stringify(ids) })
    return new Map(rows.map(([id, body]) => [soundText("id", id), soundText("body", body)]))
  }
}
