import { join } from "node:path"
import { isStoreError } from "../../errors.ts"
import type { DeviceClock } from "../../file/clock.ts"
import { isProven } from "../../file/stamp.ts"
import type { FileStat, FileSystem } from "../../file/system.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { Problem, ProblemLog } from "../problem-log.ts"
import type { Fold, OutlinedSession, Sides, TranscriptAgent } from "./agent.ts"
import { type ContainerAt, compareContainers, type FoundContainer } from "./container.ts"
import { type FileMark, follow, type Known, unfinished } from "./follow.ts"
import type { KeptLines } from "./kept-lines.ts"
import { lookOf, lookText } from "./look.ts"
import type { Following } from "./segment.ts"
import { segmentsOf } from "./segments.ts"
import { ABSENT, baseLook, type SideLook } from "./side-look.ts"
import { BASE, isWithin, LENGTHS, lengthsOf } from "./sides.ts"
import { findContainer, findContainers, isAsFound, looking, type WalkContext } from "./walk.ts"
import { WalkMemory } from "./walk-memory.ts"

/** The most small files that are remembered to be missing. */
const MAX_ABSENT = 20_000
/** How often everything is looked at for one sweep while names change. */
const MAX_WALKS = 3
/** Small files beside transcripts that are larger are not read, in bytes. */
const MAX_SIDE_BYTES = 16 * 1024 * 1024

/** What was found in a place at one moment. */
export interface Sweep {
  readonly found: readonly FoundContainer[]
  /** What could not be looked into; there may be more transcripts in it. */
  readonly refused: readonly Problem[]
  /** The container of a session, by the name of its file. */
  find(session: string): FoundContainer | undefined
  /**
   * The look of a side of a container, named as in `readContainer`. For a small file that may still change without another look, it
   * includes a digest of the content.
   */
  sideLook(name: string): string
  /** Whether these sides are as they were when they were read. */
  areSame(sides: ReadContainer["sides"]): boolean
  /** Whether every later change of a container would change its look. */
  isProven(container: FoundContainer): boolean
}

/** A container as it was read. */
export interface ReadContainer {
  readonly marks: readonly FileMark[]
  /** Lines that could not be read. */
  readonly problems: readonly Problem[]
  /** Why its beginning is missing. */
  readonly fault: string | undefined
  /** Its sides, that is, what it depends on besides its own files, each with its look. */
  readonly sides: readonly (readonly [name: string, look: string])[]
  /** Whether the system refused to read it, which may succeed the next time. */
  readonly isRefused?: boolean
  /** Whether a file of it, or of what it goes on from, lay there no more: it may lie elsewhere by now. */
  readonly isGone?: boolean
  /** Whether everything was read again, so that any line may be different. */
  readonly isAnew?: boolean | undefined
  /** Its sessions; `undefined` where nothing is new. */
  readonly read:
    | {
        readonly sessions: readonly OutlinedSession[]
        /** Has taken in everything up to the marks; `undefined` where nothing could be read. */
        readonly fold: Fold | undefined
      }
    | undefined
}

/** A container that was read before. */
export interface KnownContainer extends Known {
  readonly sides: readonly (readonly [name: string, look: string])[]
}

/** Finds and reads the transcripts of one place. */
export class Transcripts {
  readonly fs: FileSystem
  readonly place: string
  readonly agent: TranscriptAgent
  readonly #maxLineBytes: number
  readonly #clock: DeviceClock
  readonly #problems: ProblemLog
  readonly #memory = new WalkMemory()
  /** Small files that were missing, with the look of their folder from before that was found. */
  readonly #absent = new Map<string, FileStat>()
  #sweeps = 0

  constructor(
    fs: FileSystem,
    place: string,
    agent: TranscriptAgent,
    maxLineBytes: number,
    clock: DeviceClock,
    problems: ProblemLog,
  ) {
    this.fs = fs
    this.place = place
    this.agent = agent
    this.#maxLineBytes = maxLineBytes
    this.#clock = clock
    this.#problems = problems
  }

  /**
   * Looks at every file once, and again where names changed meanwhile: what was moved from a folder that was still to come to one that
   * was done, or got another name, would be missing. What cannot be looked at is reported. @throws StoreError `EXHAUSTED`; the signal's reason
   */
  async sweep(signal?: AbortSignal): Promise<Sweep> {
    for (let tries = 1; ; tries++) {
      this.#sweeps++
      let isWhole = true
      const walk = async (context: WalkContext): Promise<readonly FoundContainer[]> => {
        const walked = await findContainers(context)
        isWhole = walked.isWhole
        return walked.found
      }
      const sweep = await this.#looked(walk, new TimeSlice(signal))
      if (isWhole || tries === MAX_WALKS) return sweep
    }
  }

  /** Looks at the files of these containers alone. */
  sweepOnly(...containers: readonly ContainerAt[]): Promise<Sweep> {
    const find = async (context: WalkContext): Promise<readonly FoundContainer[]> => {
      const found: FoundContainer[] = []
      for (const at of containers) {
        const one = await findContainer(context, at)
        if (one) found.push(one)
      }
      return found
    }
    return this.#looked(find, new TimeSlice())
  }

  /** Whether a container is known to lie there as it was found: no later change can have left it so. @throws StoreError `EXHAUSTED` */
  isAsFound(container: FoundContainer): boolean {
    return isAsFound({ fs: this.fs, place: this.place, memory: this.#memory }, container)
  }

  async #looked(
    walk: (context: WalkContext) => Promise<readonly FoundContainer[]>,
    slice: TimeSlice,
  ): Promise<Sweep> {
    const device = looking(
      this.fs,
      this.place,
      () => {},
      () => this.fs.stat(this.place),
    )?.device
    const now = device === undefined ? undefined : this.#clock.now(device)
    const isSure = (stat: FileStat): boolean => stat.device === device && isProven(stat, now)
    const refused: Problem[] = []
    const report = (problem: Problem): void => {
      refused.push(problem)
      this.#problems.report(problem)
    }
    const begun = this.#memory.begin()
    const found = await walk({
      fs: this.fs,
      place: this.place,
      agent: this.agent,
      slice,
      tell: report,
      memory: this.#memory,
      walk: begun,
      // Who looks but once gains nothing.
      isRemembered: this.#sweeps > 1,
      isSure: (stat, kind) => {
        this.#clock.observe(stat)
        return isSure(stat) && (kind === "file" || this.#clock.datesRenames(stat.device))
      },
    })
    let bySession: Map<string, FoundContainer> | undefined
    const find = (session: string): FoundContainer | undefined => {
      bySession ??= bySessionOf(found)
      return bySession.get(session)
    }
    const sides = new Map<string, SideLook>()
    const sideOf = (name: string): SideLook => {
      const known = sides.get(name) ?? this.#stillAbsent(name, begun)
      if (known) return known
      const side = name.startsWith(BASE)
        ? baseLook(find(name.slice(BASE.length)), isSure)
        : this.#sideLook(name, isSure, report, begun)
      sides.set(name, side)
      return side
    }
    const sideLook = (name: string): string => {
      const { look, isSure, digest } = sideOf(name)
      return isSure ? look : `${look} ${digest() ?? "?"}`
    }
    const areSame = (kept: ReadContainer["sides"]): boolean =>
      kept.every(([name, before]) => {
        if (name === LENGTHS) return isWithin(before, this.#maxLineBytes)
        const { look, digest } = sideOf(name)
        if (before === look) return true
        const said = before.startsWith(look) ? digest() : undefined
        return said !== undefined && before === `${look} ${said}`
      })
    return {
      found,
      refused,
      find,
      sideLook,
      areSame,
      isProven: ({ files }) => files.every(({ stat }) => isSure(stat)),
    }
  }

  /** A small file that was missing and whose folder has the same look: nothing was created in it since. */
  #stillAbsent(name: string, walk: number): SideLook | undefined {
    const before = this.#absent.get(name)
    return before && this.#memory.seenSince(folderOf(name), walk) === before ? ABSENT : undefined
  }

  #sideLook(
    name: string,
    isSure: (stat: FileStat) => boolean,
    report: (problem: Problem) => void,
    walk: number,
  ): SideLook {
    let isRefused = false
    const tell = (problem: Problem): void => {
      isRefused = true
      report(problem)
    }
    const path = join(this.place, name)
    const within = this.#memory.seenSince(folderOf(name), walk)
    const stat = looking(this.fs, name, tell, () => this.fs.stat(path))
    // A dangling link may lead somewhere later, but links are not followed to be read anyway.
    if (!stat && within && !isRefused) {
      if (this.#absent.size >= MAX_ABSENT) this.#absent.clear()
      this.#absent.set(name, within)
    } else this.#absent.delete(name)
    let text: string | undefined
    const digest = (): string => {
      text ??= String(Bun.hash(this.#sideText(name) ?? ""))
      return text
    }
    return { look: lookText(stat), isSure: !stat || isSure(stat), digest }
  }

  #sideText(name: string): string | undefined {
    const report = (problem: Problem): void => this.#problems.report(problem)
    return looking(this.fs, name, report, () => {
      const descriptor = this.fs.openFile(join(this.place, name))
      if (descriptor === undefined) return undefined
      try {
        return this.fs.readOpen(descriptor, MAX_SIDE_BYTES)?.toString()
      } finally {
        this.fs.close(descriptor)
      }
    })
  }

  /** Reports what cannot be read, each different problem once. */
  report(problem: Problem): void {
    this.#problems.report(problem)
  }

  /**
   * Compares a file's look with when it was read: the same, apparently only appended to, or other. A part of a base's file counts as the
   * same as long as the file is not cut off before the end of that part.
   */
  stateOf({ path, look, inode, size, until }: FileMark): "same" | "grown" | "other" {
    const report = (problem: Problem): void => this.#problems.report(problem)
    const stat = looking(this.fs, path, report, () => this.fs.lstat(path))
    if (!stat || String(stat.inode) !== inode) return "other"
    if (lookText(stat) === look) return "same"
    if (until !== undefined) return stat.size >= until ? "same" : "other"
    return stat.size > size ? "grown" : "other"
  }

  /** Whether a base of this container is not in the sweep. @throws StoreError `EXHAUSTED`; the slice's signal's reason */
  async lacksBase(container: FoundContainer, { find }: Sweep, slice: TimeSlice): Promise<boolean> {
    if (!this.agent.base) return false
    const context: Following = { fs: this.fs, agent: this.agent, maxLineBytes: this.#maxLineBytes, slice }
    try {
      const { bases } = await segmentsOf(context, container, find)
      return bases.some((session) => !find(session))
    } catch (error) {
      // Reading it reports that.
      if (!isStoreError(error) || error.code === "EXHAUSTED") throw error
      return false
    }
  }

  /**
   * Reads a container, or what was added to it since it was known. One that cannot be read holds nothing, which is reported.
   * @param keep takes the lines that are read
   * @throws StoreError `EXHAUSTED`; the slice's signal's reason
   */
  async readContainer(
    container: FoundContainer,
    sweep: Sweep,
    known: KnownContainer | undefined,
    slice: TimeSlice,
    keep?: KeptLines,
  ): Promise<ReadContainer> {
    try {
      return await this.#read(container, sweep, known, slice, keep)
    } catch (error) {
      if (!isStoreError(error) || error.code === "EXHAUSTED") throw error
      const path = error.path ?? this.place
      // The next sweep finds that it is gone.
      const problems = error.code === "NOT_FOUND" ? [] : [{ path, code: error.code, message: error.message }]
      for (const problem of problems) this.#problems.report(problem)
      return {
        marks: [],
        problems,
        fault: undefined,
        sides: [],
        isRefused: true,
        isGone: error.code === "NOT_FOUND",
        read: { sessions: [], fold: undefined },
      }
    }
  }

  async #read(
    container: FoundContainer,
    sweep: Sweep,
    known: KnownContainer | undefined,
    slice: TimeSlice,
    keep: KeptLines | undefined,
  ): Promise<ReadContainer> {
    const context: Following = {
      fs: this.fs,
      agent: this.agent,
      maxLineBytes: this.#maxLineBytes,
      slice,
      keep,
    }
    const { segments, bases, fault } = await segmentsOf(context, container, sweep.find)
    const isWithin = !known || sweep.areSame(known.sides.filter(([name]) => name === LENGTHS))
    const isSame = known !== undefined && sweep.areSame(known.sides)
    const followed = await follow(context, segments, isWithin ? known : undefined, !isSame)
    for (const problem of problemsOf({ ...followed, fault })) this.#problems.report(problem)
    const { sides, recorder } = this.#recording(sweep)
    for (const base of bases) sides.set(BASE + base, sweep.sideLook(BASE + base))
    const lengths = lengthsOf(followed.marks)
    if (lengths !== undefined) sides.set(LENGTHS, lengths)
    const { marks } = followed
    const result = { marks, problems: followed.problems, fault, isAnew: followed.isAnew }
    const { fold } = followed
    if (!fold) return { ...result, sides: known?.sides ?? [], read: undefined }
    keep?.end()
    const sessions = fold.outline(recorder, keep && ((lines) => keep.laid(lines)))
    return { ...result, sides: [...sides], read: { sessions, fold } }
  }

  /** Gives an agent the small files beside its transcripts and notes which ones it asked for. */
  #recording(sweep: Sweep): { sides: Map<string, string>; recorder: Sides } {
    const sides = new Map<string, string>()
    const recorder: Sides = {
      text: (name) => {
        if (name.split("/").some((part) => part === ".." || part === "")) return undefined
        sides.set(name, sweep.sideLook(name))
        return this.#sideText(name)
      },
    }
    return { sides, recorder }
  }
}

function folderOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")))
}

/** Containers by session: of several copies the last by folder and name. */
function bySessionOf(found: readonly FoundContainer[]): Map<string, FoundContainer> {
  const bySession = new Map<string, FoundContainer>()
  for (const one of found) {
    const id = one.files[0]?.name.session
    const other = id === undefined ? undefined : bySession.get(id)
    if (id !== undefined && (!other || compareContainers(one, other) > 0)) bySession.set(id, one)
  }
  return bySession
}

/** All problems of a container, including that of its last line. */
export function problemsOf({
  marks,
  problems,
  fault,
}: Pick<ReadContainer, "marks" | "problems" | "fault">): Problem[] {
  const last = marks.at(-1)
  return [
    ...problems,
    ...(last ? unfinished(last) : []),
    ...(fault === undefined || !last
      ? []
      : [{ path: last.path, code: "NOT_FOUND" as const, message: fault }]),
  ]
}

/** The look of a container's own files, in bytes that can be compared. */
export function containerLook({ files }: FoundContainer): Buffer {
  return lookOf(files.map(({ stat }) => stat))
}
