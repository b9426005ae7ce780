/** A value that a line holds, and where in it. */
export interface ParsedValue {
  readonly value: unknown
  readonly start: number
  readonly length: number
}

/** What a line holds, and what is wrong with it. */
export interface ParsedLine {
  readonly values: readonly ParsedValue[]
  readonly fault?: string
}

const NUL = 0
/** A byte order mark. */
const MARK = Buffer.from("\u{feff}")
/** Places at which another value may begin that are tried in one line. */
const MAX_STARTS = 16
/** How a line of a transcript begins: an object, whose first field's name tells it from an object within a line. */
const START = /\{"[A-Za-z_$]+":/g

/**
 * Reads a line. One that is no JSON may be a line that was cut short, with the next one right behind it: what is whole in it is
 * read, and the rest is told of. NULs, which a crash leaves in place of what was never written, are passed over.
 */
export function parseLine(bytes: Buffer): ParsedLine {
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

function rescued(bytes: Buffer, from: number, end: number): ParsedLine {
  // By bytes, so that places in the text are places in the file.
  const text = bytes.subarray(from, end).toString("latin1")
  const first = /^\{"[A-Za-z_$]+":/.exec(text)?.[0]
  const starts = [...text.matchAll(START)]
    .filter(({ 0: start, index }) => index === 0 || isLikely(start, first))
    .slice(0, MAX_STARTS)
    .map(({ index }) => from + index)
  const values: ParsedValue[] = []
  for (let at = 0; at < starts.length; ) {
    const start = starts[at] ?? end
    let taken = 0
    for (let next = starts.length; next > at && taken === 0; next--) {
      const value = parsed(bytes.subarray(start, starts[next] ?? end), start)
      if (!value) continue
      values.push(value)
      taken = next - at
    }
    at += Math.max(1, taken)
  }
  const fault = "It is not whole JSON"
  return { values, fault: values.length > 0 ? `${fault}; what follows in it could be read` : fault }
}

/** A line that follows a cut one begins as lines of that file do. */
function isLikely(start: string, first: string | undefined): boolean {
  return start === first || LINE_STARTS.has(start)
}

const LINE_STARTS: ReadonlySet<string> = new Set([
  '{"timestamp":',
  '{"type":',
  '{"parentUuid":',
  '{"sessionId":',
  '{"id":',
  '{"record_type":',
  '{"$set":',
])

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
