import type { Statements } from "../../database/statements.ts"
import { placePath, recordPath, statPlace } from "../../file/layout.ts"
import { isKnown, sameStamp, sameStat } from "../../file/stamp.ts"
import type { FileStat } from "../../file/system.ts"
import type { Pass } from "../../migrator/directory-pass.ts"
import { type Reconciler, Unsettled } from "../../migrator/reconcile.ts"
import { isStill, settle } from "../../migrator/settle.ts"
import type { Place } from "../../record/kind.ts"
import type { Position } from "../../record/order.ts"
import { fieldsAsked, type SessionQuery } from "../../record/query.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import { countedNames, folderNames, type RecordFiles } from "./file-catalog.ts"
import { JoinedRuns } from "./joined-runs.ts"
import { SessionEntries } from "./session-entries.ts"

const RUN_LENGTH = 256
const PAGE_ROWS = 1_000
const MAX_TRIES = 3

/** Answers from the index, after making sure that the rows it needs equal their files. */
export class SqliteCatalog implements Catalog {
  readonly #within: Reconciler
  readonly #files: RecordFiles
  readonly #maxStaleness: number
  /** Lets all callers that list a collection at the same time share one look at its files. */
  readonly #settling = new JoinedRuns<Moment>()
  /** When a collection was last settled, for `maxStaleness`. */
  readonly #settled = new Map<string, Settled>()
  /** What was settled for the first of several questions with one `moment`. */
  readonly #moments = new WeakMap<object, Moment>()

  constructor(within: Reconciler, files: RecordFiles, maxStaleness: number) {
    this.#within = within
    this.#files = files
    this.#maxStaleness = maxStaleness
  }

  /** Makes the next listings look at the files again, because a write of ours could not be noted in the index. */
  distrust(): void {
    this.#settled.clear()
  }

  async sessions(query: SessionQuery, range: Range): Promise<Iterable<SessionEntry>> {
    if (this.#isEmpty()) return []
    return this.#answer(
      sessionKey(query.projectID),
      () => this.#sessionPlaces(query.projectID),
      range.signal,
      async (ask) => {
        const entries = new SessionEntries()
        for (let after = range.after; ; ) {
          const limit = Math.min(PAGE_ROWS, (range.limit ?? Number.POSITIVE_INFINITY) - entries.length)
          const page = await ask(({ listings }) =>
            listings.sessions(query, after, limit, range.bodies === true),
          )
          entries.push(page)
          after = page.at(-1)
          if (!after || page.length < limit || entries.length === range.limit) return entries
          range.signal?.throwIfAborted()
        }
      },
      range.moment,
      fieldsAsked(query).length > 0,
    )
  }

  countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    return this.#answer(
      sessionKey(query.projectID),
      () => this.#sessionPlaces(query.projectID),
      signal,
      (ask) => ask(({ listings }) => listings.countSessions(query)),
      undefined,
      fieldsAsked(query).length > 0,
    )
  }

  async copies(
    ids: readonly string[],
    projectID: string | undefined,
    { moment, signal }: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    if (this.#isEmpty()) return new Map()
    return this.#answer(
      sessionKey(projectID),
      () => this.#sessionPlaces(projectID),
      signal,
      async (ask) => {
        const copies = new Map<string, SessionCopy>()
        for (let start = 0; start < ids.length; start += PAGE_ROWS) {
          const some = ids.slice(start, start + PAGE_ROWS)
          const found = await ask(({ listings }) => listings.copies(some, projectID))
          for (const { id, project, updated } of found) copies.set(id, { project, updated })
        }
        return copies
      },
      moment,
    )
  }

  async *messages(
    sessionID: string,
    direction: "asc" | "desc",
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    const place: Place = { kind: "message", folder: sessionID }
    const next = this.#messageRuns(place, direction, range)
    let left = range.limit ?? Number.POSITIVE_INFINITY
    for (let after = range.after; left > 0; ) {
      const limit = Math.min(RUN_LENGTH, left)
      const run = await next(after, limit)
      if (run.length > 0) yield run
      after = run.at(-1)
      left -= run.length
      if (!after || run.length < limit) return
    }
  }

  /**
   * Reads one run after another. All rows are settled for the first run; later runs trust them as long as neither the folder nor its rows
   * change, since looking at every file again for every run would cost more than reading the messages.
   */
  #messageRuns(place: Place, direction: "asc" | "desc", { signal, moment }: Range) {
    const { fs, index, directory } = this.#within
    const path = placePath(directory, place)
    let trusted: TrustedRows | undefined
    return async (after: Position | undefined, limit: number): Promise<readonly Position[]> => {
      if (trusted && sameStat(trusted.folder, statPlace(fs, path))) {
        const { id, generation, database } = trusted
        const run = await index.read((statements) =>
          index.database === database && statements.directories.find(place)?.generation === generation
            ? statements.listings.messages(id, direction, after, limit)
            : undefined,
        )
        if (run) return run
      }
      const folder = statPlace(fs, path)
      return this.#answer(
        `message/${place.folder}`,
        async () => [place],
        signal,
        (ask) =>
          ask((statements) => {
            const row = statements.directories.find(place)
            trusted = row && { id: row.id, generation: row.generation, database: index.database, folder }
            return row ? statements.listings.messages(row.id, direction, after, limit) : []
          }),
        moment,
      )
    }
  }

  async countMessages(sessionID: string): Promise<number> {
    const place: Place = { kind: "message", folder: sessionID }
    const { fs, index, directory } = this.#within
    const path = placePath(directory, place)
    const row = await index.read(({ directories }) => directories.find(place))
    const stat = statPlace(fs, path)
    if (row && stat && isKnown(row.stamp) && sameStamp(row.stamp, row.size, stat)) return row.entries
    return countedNames(this.#files, place).length
  }

  /**
   * The rows of parts can tell if the folder's stamp proves their names and each part was read under a known stamp. Whether the part has
   * changed since does not matter, since its type does not.
   */
  async withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>> {
    const { fs, index, directory } = this.#within
    // The rows are read first, so that any later change of a folder shows as another stamp.
    const { rows, several } = await index.read(({ directories, steps }) => {
      const rows = new Map(directories.findAll("part", messageIDs).map((row) => [row.name, row]))
      const ids = [...rows.values()].flatMap(({ id, entries }) => (entries > 1 ? id : []))
      return { rows, several: ids.length > 0 ? steps.maybeSeveral(ids) : new Set<number>() }
    })
    const found = messageIDs.filter((message) => {
      const stat = statPlace(fs, placePath(directory, { kind: "part", folder: message }))
      if (!stat) return false
      const row = rows.get(message)
      return !row || !isKnown(row.stamp) || !sameStamp(row.stamp, row.size, stat) || several.has(row.id)
    })
    return new Set(found)
  }

  async guessFolder(kind: "message" | "part", id: string): Promise<string | undefined> {
    return (await this.#within.index.read((statements) => statements[kind].folders(id)))[0]
  }

  /** Whether there are neither folders of sessions nor an index. Then no index is opened, which would take some ms. */
  #isEmpty(): boolean {
    return !this.#within.index.isThere() && folderNames(this.#files, "session").length === 0
  }

  /** The folders to look at. If no project is named, these include folders that are gone but have rows. */
  async #sessionPlaces(projectID: string | undefined): Promise<Place[]> {
    if (projectID !== undefined) return [{ kind: "session", folder: projectID }]
    const folders = new Set(folderNames(this.#files, "session"))
    for (const folder of await this.#within.index.read(({ directories }) => directories.allNames("session")))
      folders.add(folder)
    return [...folders].map((folder) => ({ kind: "session", folder }))
  }

  /**
   * Settles the collection and then runs `query`. If the rows change before it has finished, everything is done again.
   * @param byFields whether declared fields are asked for. Rows that other processes put may lack them, so with `maxStaleness` older rows
   * are used only if nothing has changed them
   */
  async #answer<T>(
    key: string,
    places: () => Promise<readonly Place[]>,
    signal: AbortSignal | undefined,
    query: (ask: <A>(question: (statements: Statements) => A) => Promise<A>) => Promise<T>,
    moment?: object,
    byFields = false,
  ): Promise<T> {
    const { index } = this.#within
    /** Runs the query on the rows that were settled in that database. */
    const asking = (database: string | undefined, passes: readonly SettledRows[]) =>
      unlessOvertaken(() =>
        query((question) =>
          index.read((statements) => {
            if (index.database !== database || !isStill(statements, passes)) throw new Overtaken()
            return question(statements)
          }),
        ),
      )
    const settled = this.#settled.get(key)
    if (settled && performance.now() - settled.at <= this.#maxStaleness) {
      signal?.throwIfAborted()
      const answered = await asking(settled.database, byFields ? settled.rows : [])
      if (answered) return answered.answer
    }
    const known = moment && this.#moments.get(moment)
    if (known) {
      signal?.throwIfAborted()
      const answered = await asking(known.database, known.passes)
      if (answered) return answered.answer
    }
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const at = performance.now()
      const { passes, database } = await this.#settling.run(
        key,
        async (each) => ({ passes: await settle(this.#within, places, each), database: index.database }),
        signal,
      )
      const answered = await asking(database, passes)
      if (!answered) continue
      await this.#reportProblems(passes)
      if (this.#maxStaleness > 0) this.#noteSettled(key, { at, database, rows: passes.map(settledRows) })
      if (moment) this.#moments.set(moment, { database, passes })
      return answered.answer
    }
    throw new Unsettled(`${key} went on changing`)
  }

  #noteSettled(key: string, settled: Settled): void {
    this.#settled.delete(key)
    this.#settled.set(key, settled)
    for (const [old, { at }] of this.#settled) {
      if (settled.at - at <= this.#maxStaleness) return
      this.#settled.delete(old)
    }
  }

  async #reportProblems(passes: readonly Pass[]): Promise<void> {
    const { index, directory } = this.#within
    const found = await index.read((statements) =>
      passes.flatMap(({ place, row }) =>
        row ? statements[place.kind].problems(row.id).map((problem) => ({ place, ...problem })) : [],
      ),
    )
    for (const { place, id, problem, problemMessage } of found)
      this.#files.problems.report({
        path: recordPath(directory, place, id),
        code: problem,
        message: problemMessage,
      })
  }
}

/** Identifies the rows of a folder that were settled. */
type SettledRows = Pick<Pass, "place" | "row">

function settledRows({ place, row }: Pass): SettledRows {
  return { place, row }
}

/** When rows were settled, and in which index. */
interface Settled {
  /** In ms of `performance.now()`. */
  readonly at: number
  readonly database: string | undefined
  readonly rows: readonly SettledRows[]
}

/** What was settled for the first of several questions, and the database it was settled in. */
interface Moment {
  readonly database: string | undefined
  readonly passes: readonly Pass[]
}

/** Rows of a folder that were settled for an earlier run, and the folder's stat from before. */
interface TrustedRows {
  readonly id: number
  readonly generation: number
  readonly database: string | undefined
  readonly folder: FileStat | undefined
}

/** A write or another process changed the settled rows before they were read, or the index was replaced. */
class Overtaken extends Error {}

async function unlessOvertaken<T>(ask: () => Promise<T>): Promise<{ readonly answer: T } | undefined> {
  try {
    return { answer: await ask() }
  } catch (error) {
    if (error instanceof Overtaken) return undefined
    throw error
  }
}

function sessionKey(projectID: string | undefined): string {
  return projectID === undefined ? "session" : `session/${projectID}`
}
