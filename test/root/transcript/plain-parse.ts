import type { JsonObject } from "../../../src/record/extract.ts"
import type { ContainerName, Fold, Line, Sides, TranscriptAgent } from "../../../src/root/transcript/agent.ts"
import { ObjectSplitter } from "../../../src/root/transcript/object-lines.ts"
import { parseLine } from "../../../src/root/transcript/parse-line.ts"
import { messageBody, placed, sessionBody } from "../../../src/root/transcript/record-bodies.ts"

/** A transcript as it is when everything is parsed anew. */
export interface PlainSession {
  readonly info: JsonObject
  readonly messages: readonly { info: JsonObject; parts: JsonObject[] }[]
}

export const NO_SIDES: Sides = { text: () => undefined }

/**
 * A file's lines and where they lie. Of a line that is no JSON, what `parseLine` finds in it, which has a test of its own; a last
 * line without its end is left out until it is whole.
 */
export function plainLines(bytes: Buffer, form: ContainerName["form"], file = 0): Line[] {
  if (form === "object") return plainElements(bytes).map((value, at) => ({ value, span: [file, at, 0] }))
  const lines: Line[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const end = bytes.indexOf(10, offset)
    const until = end < 0 ? bytes.length : end
    const { values, fault } = parseLine(bytes.subarray(offset, until))
    if (end >= 0 || fault === undefined)
      for (const { value, start, length } of values)
        lines.push({ value, span: [file, offset + start, length] })
    offset = until + 1
  }
  return lines
}

/** An object without its messages, then these. Of one that is damaged what `ObjectSplitter` finds, which has a test of its own. */
function plainElements(bytes: Buffer): unknown[] {
  try {
    const { messages, ...header } = JSON.parse(bytes.toString()) as { messages?: unknown[] }
    return [header, ...(messages ?? [])]
  } catch {
    const splitter = new ObjectSplitter(Number.POSITIVE_INFINITY)
    const elements = [...splitter.push(bytes)].flatMap((element) =>
      parseLine(element.bytes ?? Buffer.from("")).values.map(({ value }) => value),
    )
    return [JSON.parse(splitter.header), ...elements]
  }
}

function sameId(id: string): string {
  return id
}

/** Folds lines; with `stops`, it is stopped after each of so many lines, kept as text, and begun again. */
export function foldOf(agent: TranscriptAgent, name: ContainerName, lines: readonly Line[], stops = 0): Fold {
  let fold = agent.fold(name)
  for (const [at, line] of lines.entries()) {
    fold.add(line)
    if (stops > 0 && at % stops === 0) fold = agent.fold(name, JSON.parse(JSON.stringify(fold.state())))
  }
  return fold
}

/** What a container's lines say, with all bodies. */
export function plainSessions(
  agent: TranscriptAgent,
  name: ContainerName,
  lines: readonly Line[],
  { sides = NO_SIDES, stops = 0, modified = Number.MAX_SAFE_INTEGER, idOf = sameId } = {},
): PlainSession[] {
  const values = new Map(lines.map(({ span, value }) => [span.join(), value]))
  const outlines = foldOf(agent, name, lines, stops).outline(sides)
  const own = new Set(outlines.map(({ id }) => id))
  return outlines
    .map(({ id, parentID, ...session }) => ({
      ...session,
      id: idOf(id),
      parentID: parentID !== undefined && own.has(parentID) ? idOf(parentID) : parentID,
    }))
    .map((session) => ({
      info: sessionBody(session, modified, name.archived ?? false),
      messages: placed(session.id, session.messages).map((message) => {
        const said = agent.message(
          message.outlined,
          message.outlined.spans.map((span) => values.get(span.join())),
        )
        return messageBody(session.id, message, said)
      }),
    }))
}

/** A message's id as its transcript has it: ours begin with their session's. */
export function ownId(info: JsonObject | undefined): string {
  return String(info?.id).replace(/^[^~]*~/, "")
}
