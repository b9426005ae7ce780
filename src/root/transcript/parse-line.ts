/** A value in a line, and where in the line it is. */
export interface ParsedValue {
  readonly value: unknown
  readonly start: number
  readonly length: number
}

/** The values of a line, and what is wrong with it. */
export interface ParsedLine {
  readonly values: readonly ParsedValue[]
  readonly fault?: string
}

const NUL = 0
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
/** A byte order mark. */
const MARK = Buffer.from("\u{feff}")
/** The most places of one line at which another value is tried. */
const MAX_STARTS = 16
/**
 * Parses a line. If it is not JSON, it may be a line that was cut short with the next one right behind it: whole values in it are read,
 * and the rest is reported. NULs, which a crash leaves in place of data that was never written, are skipped.
 */
export function parseLine(bytes: Buffer): ParsedLine {
  // Nearly every line is one object. Trying that first is faster than looking for anything else.
  if (bytes[0] === OPEN && bytes[bytes.length - 1] === CLOSE) {
    const whole = parsed(bytes, 0)
    if (whole) return { values: [whole] }
  }
  let start = 0
  let end = bytes.length
  while (end > start && isBlank(bytes[end - 1])) end--
  if (bytes.subarray(0, MARK.length).equals(MARK)) start = MARK.length
  while (start < end && isBlank(bytes[start])) start++
  const hasNuls =
    bytes.indexOf(NUL) >= 0 && (bytes.subarray(0, start).includes(NUL) || bytes.subarray(end).includes(NUL))
  const nuls = hasNuls ? { fault: "It holds NUL bytes" } : {}
  if (start === end) return { values: [], ...nuls }
  const whole = parsed(bytes.subarray(start, end), start)
  return whole ? { values: [whole], ...nuls } : rescued(bytes, start, end)
}

/** Whether a line may be a cut one with others behind it: more than one place in it looks like the start of a line. */
export function mayHoldSeveral(bytes: Buffer): boolean {
  const dated = '{"timestamp":'
  // In files whose lines begin with a time, all lines do.
  if (bytes.indexOf(dated) === 0) return bytes.indexOf(dated, dated.length) > 0
  const text = bytes.toString("latin1")
  const starts = text.matchAll(startsLike(text))
  starts.next()
  return !starts.next().done
}

function rescued(bytes: Buffer, from: number, end: number): ParsedLine {
  // As bytes, so that offsets in the text are offsets in the file.
  const text = bytes.subarray(from, end).toString("latin1")
  const starts: number[] = []
  for (const { index } of text.matchAll(startsLike(text))) {
    starts.push(from + index)
    if (starts.length === MAX_STARTS) break
  }
  const values: ParsedValue[] = []
  for (const start of starts) {
    const to = endOfObject(bytes, start, end)
    // An object inside a line is followed by the rest of that line.
    if (to === undefined || (to < end && !starts.includes(to))) continue
    const value = parsed(bytes.subarray(start, to), start)
    if (value) values.push(value)
  }
  const fault = "It is not whole JSON"
  return { values, fault: values.length > 0 ? `${fault}; what follows in it could be read` : fault }
}

/** Where the object that begins here ends, if it is JSON; `undefined` where nothing ends it. Looks at each byte once. */
function endOfObject(bytes: Buffer, start: number, end: number): number | undefined {
  let depth = 0
  let isText = false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]
    if (isText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === OPEN) depth++
    else if (byte === CLOSE && --depth === 0) return at + 1
  }
  return undefined
}

/** How lines of transcripts begin, besides the way the cut line does. */
const LINE_STARTS = ["timestamp", "type", "parentUuid", "sessionId", "id", "record_type", "$set"]

/** Finds where a line behind a cut one may begin: at what looks like the start of a line of that file. */
function startsLike(text: string): RegExp {
  const [, first] = /^\{"([A-Za-z_$]+)":/.exec(text) ?? []
  const names = first === undefined ? LINE_STARTS : [first, ...LINE_STARTS]
  return new RegExp(`\\{"(?:${names.join("|").replaceAll("$", "\\$")})":`, "g")
}

function parsed(bytes: Buffer, start: number): ParsedValue | undefined {
  try {
    return { value: JSON.parse(bytes.toString("utf8")), start, length: bytes.length }
  } catch {
    return undefined
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === NUL || byte === 0x20 || byte === 0x0d || byte === 0x09
}
