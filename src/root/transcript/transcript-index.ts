// Over 400 lines: looking, reading, writing rows and trusting them are one sequence for each container.
import { IndexFailure } from "../../database/failure.ts"
import type { SqliteIndex } from "../../database/sqlite-index.ts"
import type { Statements } from "../../database/statements.ts"
import type { ContainerLook, ContainerReading } from "../../database/transcript-statements.ts"
import { pendingMark } from "../../migrator/observation.ts"
import { PatientWork } from "../../migrator/patient-work.ts"
import { changeOf, type StoreChange } from "../change.ts"
import type { Problem } from "../problem-log.ts"
import { checkpointOf } from "./checkpoint.ts"
import { type FoundContainer, keyOf } from "./container.ts"
import { ContainerRows } from "./container-rows.ts"
import type { FileMark } from "./follow.ts"
import { type HeldSession, heldSessions } from "./held.ts"
import { areOf, isDue, type KeptFold, KeptFolds, stateOf, type WrittenState } from "./kept-folds.ts"
import { KeptLines } from "./kept-lines.ts"
import { type Anew, changesOf, differenceOf, putDifference, settleMessages } from "./message-rows.ts"
import { Disturbed, MESSAGES_AT_ONCE, putContainer, removeContainer } from "./put-container.ts"
import type {
  Looked,
  Outcome,
  RowListener,
  SettleAllOptions,
  SettleOneOptions,
  Unsettled,
} from "./settling.ts"
import { NO_SIDES } from "./sides.ts"
import {
  containerLook,
  type KnownContainer,
  problemsOf,
  type ReadContainer,
  type Sweep,
  type Transcripts,
} from "./transcripts.ts"

/** How often a container is tried again while another process writes its rows. */
const MAX_TRIES = 5

/** The garbage of writing the rows of a message, in bytes. */
const ROW_BYTES = 4_096

/** The garbage of saving one letter of a state, in bytes. */
const LEFT_A_LETTER = 4

/** The problems of a container, as the index keeps them. */
interface KeptProblems {
  readonly lines: readonly Problem[]
  readonly fault?: string | undefined
}

/** A container that was read before its rows were written. */
interface ReadAhead {
  readonly result: ReadContainer
  readonly sessions: readonly HeldSession[]
}

type Hear = (change: StoreChange) => void
type Write = <T>(work: (statements: Statements) => T) => Promise<T>

/** How the rows of messages are written. */
interface Putting extends Pick<SettleOneOptions, "slice" | "intake"> {
  readonly write: Write
  readonly hear: Hear
}

/** Makes the rows of containers equal to their files: settles them. */
export class TranscriptIndex {
  readonly index: SqliteIndex
  readonly transcripts: Transcripts
  /** The watch, if there is one. */
  listener: RowListener | undefined
  /** Containers that are being settled; each one is settled by one caller at a time. */
  readonly #settling = new Map<string, Promise<Outcome>>()
  readonly #folds: KeptFolds
  readonly #patientWork = new PatientWork()
  /** Containers that were read before there was an index. */
  readonly #ahead = new WeakMap<FoundContainer, ReadAhead>()
  #rows: ContainerRows | undefined

  constructor(index: SqliteIndex, transcripts: Transcripts) {
    this.index = index
    this.transcripts = transcripts
    this.#folds = new KeptFolds(index, transcripts.agent)
  }

  /**
   * Looks at every file once and removes the rows of containers that are gone.
   * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
   */
  async look(signal?: AbortSignal): Promise<Looked> {
    let sweep = await this.transcripts.sweep(signal)
    let rows = await this.#rowsNow()
    if (rows.withoutFiles(sweep.found).length > 0) {
      // A file that was moved from a folder not yet looked at to one already looked at was seen in neither.
      sweep = await this.transcripts.sweep(signal)
      rows = await this.#rowsNow()
    }
    let hasDoubted = false
    for (const { row } of rows.withoutFiles(sweep.found)) if (await this.forget(row)) hasDoubted = true
    if (hasDoubted) rows = await this.#rowsNow()
    const unsettled: Unsettled[] = []
    const closer: FoundContainer[] = []
    for (const container of rows.closer(sweep.found)) {
      const row = rows.of(container)
      const isSettled = row !== undefined && this.#isStillSettled(container, row, rows, sweep)
      if (!isSettled) unsettled.push({ container, row: row?.row })
      if (!isSettled || row.sides !== NO_SIDES) closer.push(container)
    }
    if (rows.withoutFiles(sweep.found).length === 0) rows.noteCloser(sweep.found, closer)
    return { sweep, unsettled, version: rows.version, unproven: new Map() }
  }

  /**
   * Whether rows are still those of what was found, and of nothing else. Another process, or another question, may have put what it had
   * read of a file before that was changed or removed.
   * @throws IndexFailure
   */
  async areRowsOf({ sweep, version, unproven }: Looked): Promise<boolean> {
    const rows = await this.#rowsNow()
    if (rows.version === version) return true
    if (rows.withoutFiles(sweep.found).length > 0) return false
    const doubtful: { readonly row: number; readonly reading: string }[] = []
    for (const container of rows.closer(sweep.found)) {
      const row = rows.of(container)
      if (!row || this.#isStillSettled(container, row, rows, sweep)) continue
      if (!unproven.has(container)) return false
      const reading = unproven.get(container)
      if (reading !== undefined) doubtful.push({ row: row.row, reading })
    }
    if (doubtful.length === 0) return true
    return this.index.read(({ transcripts }) =>
      doubtful.every(({ row, reading }) => {
        const known = transcripts.container(row)
        return known !== undefined && shortOf(known) === reading
      }),
    )
  }

  /** Takes over what was read of a container, to write its rows later. */
  expect(container: FoundContainer, read: ReadAhead): void {
    this.#ahead.set(container, read)
  }

  /** A version that differs after every change to the index, and for every other index. @throws IndexFailure */
  version(): Promise<string> {
    return this.index.read((statements) => this.#versionOf(statements))
  }

  /** Reads rows, and tells at which version. @throws IndexFailure */
  atVersion<T>(work: (statements: Statements) => T): Promise<{ readonly version: string; readonly said: T }> {
    return this.index.read((statements) => ({ version: this.#versionOf(statements), said: work(statements) }))
  }

  #versionOf({ transcripts }: Statements): string {
    return `${this.index.database} ${transcripts.version()}`
  }

  /** The rows of all containers. They are read again only after something was written. */
  #rowsNow(): Promise<ContainerRows> {
    const known = this.#rows
    return this.index.read((statements) => {
      const { transcripts } = statements
      const version = this.#versionOf(statements)
      if (known?.version === version) return known
      const rows = new ContainerRows(version, transcripts.looks())
      this.#rows = rows
      return rows
    })
  }

  /** As `isSettled`, but compares only what may have changed. */
  #isStillSettled(container: FoundContainer, row: ContainerLook, rows: ContainerRows, sweep: Sweep): boolean {
    // A container with an unchanged look is the same object.
    if (rows.hasLookOf(container)) return row.sides === NO_SIDES || sweep.areSame(rows.sidesOf(row))
    const isSettled = this.isSettled(container, row, sweep)
    if (isSettled) rows.noteLookOf(container)
    return isSettled
  }

  /**
   * Makes a container's rows equal to its files. A container that cannot be read has no sessions.
   * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
   */
  async settle({ container }: Unsettled, sweep: Sweep, options: SettleOneOptions): Promise<Outcome> {
    const key = keyOf(container)
    for (let before = this.#settling.get(key); before; before = this.#settling.get(key))
      if (options.patient) await before.catch(() => {})
      else await this.#patientWork.whileUnheld(before)
    const work = this.#settle(container, sweep, options).finally(() => {
      if (this.#settling.get(key) === work) this.#settling.delete(key)
    })
    this.#settling.set(key, work)
    return await work
  }

  /**
   * Settles all of these, and the containers that have to be settled again because of them.
   * @returns whether all of them were still there
   * @throws as `settle`
   */
  async settleAll(
    { sweep, unsettled, unproven }: Omit<Looked, "version">,
    { onSettled, ...options }: SettleAllOptions,
  ): Promise<boolean> {
    let hasDoubted = false
    let areThere = true
    const note = (container: FoundContainer, { isGone, reached, ...outcome }: Outcome): void => {
      if (outcome.hasDoubted) hasDoubted = true
      if (isGone) areThere = false
      else if (!reached || !sweep.isProven(container)) unproven.set(container, reached && shortOf(reached))
    }
    for (const one of unsettled) {
      const turn = options.slice.pass()
      if (turn) await turn
      note(one.container, await this.settle(one, sweep, options))
      // Only now is nothing of what was read in use any more.
      for (const { stat } of one.container.files) options.intake?.stepped(stat.size)
      onSettled?.(one)
    }
    // Settling these may make others unsettled in turn.
    for (let rounds = 0; hasDoubted && rounds < MAX_TRIES; rounds++) {
      hasDoubted = false
      const rows = await this.index.read(({ transcripts }) => transcripts.looks())
      const doubted = new Set(rows.flatMap((row) => (row.look === null ? [keyOf(row)] : [])))
      for (const container of sweep.found) {
        if (!doubted.has(keyOf(container))) continue
        note(container, await this.settle({ container, row: undefined }, sweep, options))
      }
    }
    return areThere
  }

  /** All problems of the containers. @throws IndexFailure */
  async problems(): Promise<Problem[]> {
    const rows = await this.index.read(({ transcripts }) => transcripts.looks())
    const all: Problem[] = []
    for (const { row } of rows) {
      const container = await this.index.read(({ transcripts }) => transcripts.container(row))
      if (!container) continue
      const { lines, fault } = JSON.parse(container.problems) as KeptProblems
      all.push(...problemsOf({ marks: JSON.parse(container.marks) as FileMark[], problems: lines, fault }))
    }
    return all
  }

  /** Whether the rows of a container equal its files, by their present look. */
  isSettled(
    container: FoundContainer,
    { look, sides, format }: Pick<ContainerLook, "look" | "sides" | "format">,
    sweep: Sweep,
  ): boolean {
    if (format !== this.transcripts.agent.version) return false
    if (look === null || containerLook(container).compare(look) !== 0) return false
    return sides === NO_SIDES || sweep.areSame(JSON.parse(sides) as ReadContainer["sides"])
  }

  async #settle(container: FoundContainer, sweep: Sweep, options: SettleOneOptions): Promise<Outcome> {
    for (let tries = 1; ; tries++)
      try {
        return await this.#readAndPut(container, sweep, options)
      } catch (error) {
        if (!(error instanceof Disturbed)) throw error
        if (tries === MAX_TRIES) throw new IndexFailure("busy", "Another process indexes the same transcript")
      }
  }

  async #readAndPut(
    container: FoundContainer,
    sweep: Sweep,
    { slice, intake, patient }: SettleOneOptions,
  ): Promise<Outcome> {
    const { agent } = this.transcripts
    const write = this.#writing(patient)
    const before = await this.index.read(({ transcripts }) => {
      const row = transcripts.rowOf(container.folder, container.name)
      const known = row === undefined ? undefined : transcripts.container(row)
      return row !== undefined && known ? { row, known, database: this.index.database } : undefined
    })
    let known: KnownContainer | undefined
    let from: KeptFold | undefined
    if (before && before.known.format === agent.version && before.known.hasState) {
      const marks = JSON.parse(before.known.marks) as FileMark[]
      known = {
        marks,
        sides: JSON.parse(before.known.sides) as ReadContainer["sides"],
        problems: (JSON.parse(before.known.problems) as KeptProblems).lines,
        resume: async () => {
          const mark = marks.at(-1)
          from = mark && (await this.#folds.take(container, before.row, mark))
          return from
        },
      }
    }
    const lines = intake && new KeptLines(intake)
    const ahead = before ? undefined : this.#ahead.get(container)
    this.#ahead.delete(container)
    const result =
      ahead?.result ?? (await this.transcripts.readContainer(container, sweep, known, slice, lines))
    if (result.isGone) return { hasDoubted: false, reached: undefined, isGone: true }
    const seen = containerLook(container)
    const look = !result.isRefused && sweep.isProven(container) ? seen : null
    const columns = {
      folder: container.folder,
      name: container.name,
      marks: JSON.stringify(result.marks),
      sides: JSON.stringify(result.sides),
      format: agent.version,
      problems: JSON.stringify({ lines: result.problems, fault: result.fault } satisfies KeptProblems),
    }
    const { marks, sides } = columns
    const reached = result.isRefused ? undefined : { look: seen, marks, sides }
    if (!result.read) {
      const isNoted = before && sameLook(before.known.look, look) && areOf(before.known, columns)
      if (before && !isNoted) {
        await trust(write, { ...columns, look }, before.known)
        this.#folds.renew(container, before.known, columns)
      }
      return { hasDoubted: false, reached, isGone: false }
    }
    const { fold } = result.read
    const sessions = ahead?.sessions ?? heldSessions(container, result.read.sessions, from?.rows?.sessions)
    const checkpoint = checkpointOf(result.marks, result.problems)
    const isNew = before === undefined
    // Other lines may now be at the same places.
    const isAnew = !isNew && result.isAnew === true
    if (result.isAnew || !fold || !checkpoint) from = undefined
    if (!from) fold?.forget?.()
    if (lines) intake?.stepped(lines.bytes)
    let state: WrittenState | undefined
    const stateNow = (): WrittenState | undefined => {
      state ??=
        fold && checkpoint && stateOf(fold, checkpoint, (letters) => intake?.left(LEFT_A_LETTER * letters))
      return state
    }
    const isStateDue = checkpoint && isDue(checkpoint, from)
    const hear: Hear = (change) => this.listener?.changed(container, change, isNew)
    const mark = pendingMark()
    const { rows } = from ?? {}
    const of = from && before?.known
    const said = rows && of && rows.database === before.database && areOf(rows, of) ? rows : undefined
    const how = { isAnew, mark, state: isStateDue ? stateNow : undefined, of, said }
    const { row, read, lost, changes, isFinished } = await write((statements) =>
      putContainer(statements, { ...columns, look }, sessions, how),
    )
    for (const change of changes) hear(change)
    if (!isFinished)
      for (const session of read)
        await this.#putMessages(row, marks, session, { isAnew, mark }, { slice, write, hear, intake })
    if (isAnew) for (const { id } of sessions) hear(changeOf(["message", id], "unknown", "other"))
    this.listener?.put(container, marks, isNew)
    if (!isFinished) await trust(write, { ...columns, look }, columns, stateNow())
    if (from && fold && checkpoint)
      this.#folds.keep(container, {
        fold,
        checkpoint,
        written: state ? checkpoint.read : from.written,
        size: state ? state.size : from.size + checkpoint.read - from.checkpoint.read,
        rows: { database: before?.database, marks, sides, sessions: read },
      })
    if (intake && lines) await intake.take({ sessions: read, mark, lines })
    return { hasDoubted: lost.length > 0, reached, isGone: false }
  }

  async #putMessages(
    row: number,
    marks: string,
    session: HeldSession,
    anew: Anew,
    { slice, write, hear, intake }: Putting,
  ): Promise<void> {
    const difference = await write((statements) => differenceOf(statements, row, session, anew))
    const { changed, gone } = difference
    for (let start = 0; start < Math.max(changed.length, gone.length); start += MESSAGES_AT_ONCE) {
      const turn = slice.pass()
      if (turn) await turn
      const some = {
        ...difference,
        changed: changed.slice(start, start + MESSAGES_AT_ONCE),
        gone: gone.slice(start, start + MESSAGES_AT_ONCE),
      }
      await write((statements) => {
        if (statements.transcripts.container(row)?.marks !== marks) throw new Disturbed()
        putDifference(statements, some)
      })
      for (const change of changesOf(session, some)) hear(change)
      intake?.left(MESSAGES_AT_ONCE * ROW_BYTES)
    }
    if (changed.length > 0 || gone.length > 0)
      await write((statements) => settleMessages(statements, session, difference))
  }

  #writing(patient = false): Write {
    return (work) => (patient ? this.#patientWork.do(() => this.index.write(work)) : this.index.write(work))
  }

  /**
   * Removes the rows of a container that is gone.
   * @returns whether another container has to be settled again, because it holds a copy
   * @throws as `settle`
   */
  async forget(row: number, { patient }: Pick<SettleOneOptions, "patient"> = {}): Promise<boolean> {
    const { container, gone, hasDoubted } = await this.#writing(patient)((statements) =>
      removeContainer(statements, row),
    )
    if (container) for (const change of gone) this.listener?.changed(container, change, false)
    return hasDoubted
  }
}

/** Names a reading in short. */
function shortOf({ marks, sides }: ContainerReading): string {
  return Bun.hash(`${marks} ${sides}`).toString(36)
}

/** @throws Disturbed if another process has written its rows since: those may be incomplete */
async function trust(write: Write, ...of: Parameters<Statements["transcripts"]["trust"]>): Promise<void> {
  if (!(await write(({ transcripts }) => transcripts.trust(...of)))) throw new Disturbed()
}

function sameLook(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0
}
