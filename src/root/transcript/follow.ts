import { isStoreError } from "../../errors.ts"
import type { Problem } from "../problem-log.ts"
import type { Fold, Line } from "./agent.ts"
import { precedes, type Reached, type Resumed } from "./checkpoint.ts"
import { LineSplitter, type RawLine } from "./line-splitter.ts"
import { ObjectSplitter } from "./object-lines.ts"
import { mayHoldSeveral, parseLine } from "./parse-line.ts"
import { piecesOf, type ReadableFile, withDescriptor } from "./pieces.ts"
import type { Following, Segment } from "./segment.ts"
import { withSpans } from "./spans.ts"
import { digestOf, TAIL_BYTES, Tail, tailOf } from "./tail.ts"

const NEWLINE = 10
/** The most problems of one container that are kept. */
const MAX_PROBLEMS = 1_000

/** How far a file was read, and what proves later that it was only appended to. */
export interface FileMark extends ReadableFile, Reached {
  readonly inode: string
  /** Its `stat`, and the size from it. */
  readonly look: string
  readonly size: number
  /** When it was last written, ms since 1970. */
  readonly modified: number
  /** Where a base ends that a container continues, in bytes. */
  readonly until?: number | undefined
  /** The number of a last line that is incomplete. */
  readonly unfinishedLine?: number | undefined
  /** A digest of the last bytes that were read. */
  readonly tail: string
  /** The length of the longest line that was read and of the shortest that was too large: any limit between them gives the same. */
  readonly longest: number
  readonly refused?: number | undefined
}

/** What was read of a container before. */
export interface Known {
  readonly marks: readonly FileMark[]
  readonly problems: readonly Problem[]
  /** Gets the fold to continue, only when it is needed; `undefined` where there is none any more. */
  readonly resume: () => Promise<Resumed | undefined>
}

/** What was read of a container now. */
export interface Followed {
  /** Has taken in everything; `undefined` where nothing is new. */
  readonly fold: Fold | undefined
  readonly marks: readonly FileMark[]
  readonly problems: readonly Problem[]
  /** Whether everything was read again, so that any line may be different. */
  readonly isAnew?: boolean
}

/**
 * Reads what was appended to a container since it was last read. If its inode, length or end do not prove that all from before is still
 * there, it reads everything.
 * @param needsFold whether to return a fold even where nothing is new
 * @throws StoreError `UNREADABLE`, `NOT_FOUND`, `EXHAUSTED`; the slice's signal's reason
 */
export async function follow(
  context: Following,
  segments: readonly Segment[],
  known: Known | undefined,
  needsFold = true,
): Promise<Followed> {
  const own = segments.at(-1)
  if (!own) throw new TypeError("A container has a file")
  const { agent } = context
  const before = known?.marks.at(-1)
  const end = known && before && (await stillThere(context, segments, known))
  if (known && before && end) {
    const isDated = segments.every(
      ({ until, modified }, at) => until !== undefined || known.marks[at]?.modified === modified,
    )
    const marks = known.marks.map((mark, at) => seenAgain(mark, segments[at]))
    const { problems } = known
    if (before.read === own.size && isDated && !needsFold) return { marks, problems, fold: undefined }
    const resumed = await known.resume()
    if (resumed && precedes(resumed.checkpoint, before)) {
      const { fold, checkpoint } = resumed
      const upToThere = problems.slice(0, checkpoint.problems)
      const tail = end.subarray(0, Math.max(0, end.length - (before.read - checkpoint.read)))
      const { longest, refused } = before
      const from: Beginning = { ...checkpoint, tail, longest, refused }
      const mark = await readOn(context, fold, own, segments.length - 1, from, upToThere)
      return { fold, marks: [...marks.slice(0, -1), mark], problems: upToThere }
    }
  }
  const fold = agent.fold(own.name)
  const problems: Problem[] = []
  const marks: FileMark[] = []
  const from: Beginning = { reading: Bun.randomUUIDv7("base64url"), read: 0, line: 1, isUnended: false }
  for (const [at, segment] of segments.entries())
    marks.push(await readOn(context, fold, segment, at, from, problems))
  return { fold, marks, problems, isAnew: true }
}

/** Where reading a file starts or continues, and what is known of the lengths of its lines. */
interface Beginning extends Reached, Partial<Pick<FileMark, "longest" | "refused">> {
  /** The bytes right before that, as far as they are at hand. */
  readonly tail?: Buffer | undefined
}

function seenAgain(mark: FileMark, segment: Segment | undefined): FileMark {
  if (!segment) return mark
  const { look, size, modified } = segment
  return { ...mark, look, size, modified }
}

/** The problem of an incomplete last line, which may still be being written. */
export function unfinished({ path, unfinishedLine }: FileMark): Problem[] {
  return unfinishedLine === undefined
    ? []
    : [problemOf(path, unfinishedLine, "CORRUPT", "It is not whole, and nothing follows it")]
}

function problemOf(path: string, line: number | undefined, code: Problem["code"], message: string): Problem {
  return line === undefined
    ? { path, code, message }
    : { path, code, message: `Line ${line}: ${message}`, line }
}

/** The end of what was read of the container's last file; `undefined` where what was read may not be there any more. */
async function stillThere(
  context: Following,
  segments: readonly Segment[],
  { marks }: Known,
): Promise<Buffer | undefined> {
  if (segments.length !== marks.length) return undefined
  let last: Buffer | undefined
  for (const [at, segment] of segments.entries()) {
    const mark = marks[at]
    if (!mark || mark.path !== segment.path || mark.until !== segment.until) return undefined
    if (mark.inode !== segment.inode || segment.size < mark.read) return undefined
    const isLast = at === marks.length - 1
    const mayGrow = (isLast && segment.name.form === "lines") || segment.until !== undefined
    // Files that are always rewritten whole need no closer look: that something changed is known here.
    if (segment.isCompressed || (!mayGrow && isLast)) return undefined
    if (!mayGrow && segment.size !== mark.read) return undefined
    const end = vouchedFor(mark)
    const isRewritten = mark.size === segment.size && mark.look !== segment.look
    if (end > TAIL_BYTES && isRewritten) return undefined
    last = await withDescriptor(context.fs, segment.path, async (descriptor) => {
      const next = Buffer.alloc(1)
      const hasMore = context.fs.readAt(descriptor, next, mark.read) > 0
      const isWhole = mark.until === undefined || mark.read < mark.until
      if (mark.isUnended && isWhole && hasMore && next[0] !== NEWLINE) return undefined
      const tail = tailOf(context.fs, descriptor, end)
      return digestOf(tail) === mark.tail ? tail : undefined
    })
    if (!last) return undefined
  }
  return last
}

/** The end of the bytes that the digest covers. A part of another session's file need not end with a line. */
function vouchedFor({ until, size, read }: Pick<FileMark, "until" | "size" | "read">): number {
  return until === undefined ? read : Math.min(until, size)
}

/** Reports a problem of a line, or of the whole file. */
type TellLine = (line: number | undefined, code: Problem["code"], message: string) => void

async function readOn(
  context: Following,
  fold: Fold,
  segment: Segment,
  file: number,
  from: Beginning,
  problems: Problem[],
): Promise<FileMark> {
  const { fs, agent, maxLineBytes, slice, keep } = context
  const { path, isCompressed, inode, look, size, modified, until } = segment
  const { reading } = from
  const tell: TellLine = (line, code, message) => {
    if (problems.length < MAX_PROBLEMS) problems.push(problemOf(path, line, code, message))
  }
  // A line that was cut short may have another one behind it, which must be read.
  const isBookkeeping = (bytes: Buffer): boolean =>
    agent.isBookkeeping?.(bytes) === true && !mayHoldSeveral(bytes)
  let { longest = 0, refused } = from
  const noteLength = ({ bytes, length }: RawLine): void => {
    if (bytes) longest = Math.max(longest, length)
    else refused = Math.min(refused ?? length, length)
  }
  const add = (raw: RawLine): boolean => {
    const { bytes, offset, number } = raw
    noteLength(raw)
    if (!bytes) {
      tell(number, "TOO_LARGE", tooLarge(maxLineBytes))
      return false
    }
    if (isBookkeeping(bytes)) return true
    const { values, fault } = parseLine(bytes)
    if (fault !== undefined) tell(number, "CORRUPT", fault)
    for (const { value, start, length } of values) {
      const line: Line = { value, span: [file, offset + start, length] }
      fold.add(line)
      keep?.put(line)
    }
    return values.length > 0
  }
  if (segment.name.form === "object") {
    await readObject(context, segment, add, tell, (value) => fold.add({ value, span: [file, 0, 0] }))
    const read = segment.size
    const known = { reading, path, isCompressed, inode, look, size, modified, longest, refused }
    return { ...known, read, line: 1, isUnended: false, tail: "" }
  }
  let { read, line } = from
  // The line end that was missing is there now.
  const isEnded = from.isUnended && size > read
  if (isEnded) read++
  const splitter = new LineSplitter(read, line, maxLineBytes)
  const seen = new Tail(read, isEnded ? undefined : from.tail)
  try {
    for await (const piece of piecesOf(fs, segment, read, until)) {
      if (!isCompressed) seen.push(piece)
      for (const raw of splitter.push(piece)) {
        add(raw)
        read = raw.offset + raw.length + 1
        line = raw.number + 1
        const turn = slice.pass()
        if (turn) await turn
      }
    }
  } catch (error) {
    if (!isStoreError(error, "CORRUPT")) throw error
    tell(undefined, "CORRUPT", error.message)
  }
  let isUnended = from.isUnended && read === from.read
  let unfinishedLine: number | undefined
  const rest = splitter.rest()
  if (rest) {
    noteLength(rest)
    // Appending cannot change a whole object. An incomplete one may still be being written.
    const isPassedOver = rest.bytes !== undefined && isBookkeeping(rest.bytes)
    const whole = rest.bytes && !isPassedOver ? parseLine(rest.bytes) : undefined
    if (whole && whole.values.length > 0 && whole.fault === undefined) {
      add(rest)
      read = rest.offset + rest.length
      line = rest.number + 1
      isUnended = true
    } else if (!isPassedOver) unfinishedLine = rest.number
  }
  const end = vouchedFor({ until, size, read })
  const reread = (): Promise<string> =>
    withDescriptor(fs, path, async (open) => digestOf(tailOf(fs, open, end)))
  const tail = isCompressed ? "" : (seen.digest(end) ?? (await reread()))
  return {
    reading,
    path,
    isCompressed,
    inode,
    look,
    size,
    modified,
    until,
    read,
    line,
    isUnended,
    unfinishedLine,
    tail,
    longest,
    refused,
  }
}

/** Reads a file that is one JSON object: first its other fields, then each of its messages. */
async function readObject(
  { fs, maxLineBytes, slice }: Following,
  segment: Segment,
  add: (element: RawLine) => unknown,
  tell: TellLine,
  addHeader: (value: unknown) => void,
): Promise<void> {
  const splitter = new ObjectSplitter(maxLineBytes)
  const elements: RawLine[] = []
  try {
    for await (const piece of piecesOf(fs, segment))
      for (const { bytes, ...place } of splitter.push(piece)) {
        if (bytes) elements.push({ ...place, bytes: undefined })
        else add({ ...place, bytes })
        const turn = slice.pass()
        if (turn) await turn
      }
  } catch (error) {
    if (!isStoreError(error, "CORRUPT")) throw error
    tell(undefined, "CORRUPT", error.message)
  }
  const rest = splitter.rest()
  if (rest) tell(rest.number, "CORRUPT", "A message is not whole")
  if (splitter.fault !== undefined) tell(undefined, "CORRUPT", splitter.fault)
  addHeader(JSON.parse(splitter.header))
  await withSpans(fs, segment, elements, async (element, bytes) => {
    add({ ...element, bytes })
    const turn = slice.pass()
    if (turn) await turn
  })
}

function tooLarge(maxBytes: number): string {
  return `It is larger than maxRecordBytes (${maxBytes} bytes)`
}
