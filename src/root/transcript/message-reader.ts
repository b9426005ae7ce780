import type { FileSystem } from "../../file/system.ts"
import type { JsonObject } from "../../record/extract.ts"
import type { Span, TranscriptAgent } from "./agent.ts"
import type { LocatedMessage } from "./lookup.ts"
import { piecesOf, type ReadableFile, withDescriptor } from "./pieces.ts"
import { messageBody } from "./record-bodies.ts"

/** A message with its parts, as our records say it. */
export interface ReadMessage {
  readonly info: JsonObject
  readonly parts: readonly JsonObject[]
}

/** The lines of one file, by the first byte and the length of each. */
type Lines = Map<string, unknown>

/**
 * Reads messages from the lines that they are made of, and nothing else of their files.
 * @throws StoreError `UNREADABLE`, `NOT_FOUND`, `EXHAUSTED`, `CORRUPT`
 */
export async function readMessages(
  fs: FileSystem,
  agent: TranscriptAgent,
  session: string,
  messages: readonly LocatedMessage[],
): Promise<ReadMessage[]> {
  const wanted = new Map<string, { file: ReadableFile; spans: Map<string, Span> }>()
  for (const { message, files } of messages)
    for (const span of message.outlined.spans) {
      const file = files[span[0]]
      if (!file) continue
      const of = wanted.get(file.path) ?? { file, spans: new Map<string, Span>() }
      of.spans.set(placeOf(span), span)
      wanted.set(file.path, of)
    }
  const lines = new Map<string, Lines>()
  for (const [path, { file, spans }] of wanted) lines.set(path, await readSpans(fs, file, [...spans.values()]))
  return messages.map(({ message, files }) => {
    const values = message.outlined.spans.map((span) => {
      const path = files[span[0]]?.path
      return path === undefined ? undefined : lines.get(path)?.get(placeOf(span))
    })
    return messageBody(session, message, agent.message(message.outlined, values))
  })
}

function placeOf([, offset, length]: Span): string {
  return `${offset}+${length}`
}

async function readSpans(fs: FileSystem, file: ReadableFile, spans: readonly Span[]): Promise<Lines> {
  const inOrder = spans.toSorted(([, a], [, b]) => a - b)
  if (file.isCompressed) return readCompressed(fs, file, inOrder)
  return withDescriptor(fs, file.path, async (descriptor) => {
    const lines: Lines = new Map()
    for (const span of inOrder) {
      const bytes = Buffer.allocUnsafe(span[2])
      const length = fs.readAt(descriptor, bytes, span[1])
      lines.set(placeOf(span), valueOf(bytes.subarray(0, length)))
    }
    return lines
  })
}

/** Goes through a compressed file once, up to the last line that is wanted. */
async function readCompressed(fs: FileSystem, file: ReadableFile, inOrder: readonly Span[]): Promise<Lines> {
  const lines: Lines = new Map()
  const last = inOrder.at(-1)
  if (!last) return lines
  const [, end, lastLength] = last
  const waiting = [...inOrder]
  let open: { span: Span; bytes: Buffer[]; got: number }[] = []
  let at = 0
  for await (const piece of piecesOf(fs, file, 0, end + lastLength)) {
    while (waiting[0] && waiting[0][1] < at + piece.length) {
      const span = waiting.shift()
      if (span) open.push({ span, bytes: [], got: 0 })
    }
    for (const one of open) {
      const from = Math.max(0, one.span[1] + one.got - at)
      const taken = piece.subarray(from, from + one.span[2] - one.got)
      one.bytes.push(Buffer.from(taken))
      one.got += taken.length
      if (one.got === one.span[2]) lines.set(placeOf(one.span), valueOf(Buffer.concat(one.bytes)))
    }
    open = open.filter(({ got, span }) => got < span[2])
    at += piece.length
  }
  return lines
}

/** What a line says; `undefined` where it does not say what it did. */
function valueOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"))
  } catch {
    return undefined
  }
}
