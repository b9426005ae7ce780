import type { FileSystem } from "../../file/system.ts"
import type { WholeMessage } from "../record-source.ts"
import type { Span, TranscriptAgent } from "./agent.ts"
import type { LocatedMessage } from "./lookup.ts"
import type { ReadableFile } from "./pieces.ts"
import { messageBody } from "./record-bodies.ts"
import { withSpans } from "./spans.ts"

/** Lines of one file, by their first byte and length. */
type Lines = Map<string, unknown>

/**
 * Reads messages from their own lines, and nothing else of the files.
 * @throws StoreError `UNREADABLE`, `NOT_FOUND`, `EXHAUSTED`, `CORRUPT`
 */
export async function readMessages(
  fs: FileSystem,
  agent: TranscriptAgent,
  session: string,
  messages: readonly LocatedMessage[],
): Promise<WholeMessage[]> {
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
  for (const [path, { file, spans }] of wanted)
    lines.set(path, await readSpans(fs, file, [...spans.values()]))
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
  const lines: Lines = new Map()
  const stretches = spans.map((span) => ({ offset: span[1], length: span[2], span }))
  await withSpans(fs, file, stretches, ({ span }, bytes) => {
    lines.set(placeOf(span), lineValue(bytes))
  })
  return lines
}

/** The value of a line; `undefined` where the line is not what it was. */
function lineValue(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"))
  } catch {
    return undefined
  }
}
