import { fieldsOf, isJsonObject, type JsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"

/** A piece of an assistant's content in opencode 2 as the part that 1.x would have written, without its ids. */
export function contentPart(content: unknown): JsonObject {
  const piece = fieldsOf(content)
  switch (piece.type) {
    case "tool":
      return toolPart(piece)
    case "text":
    case "reasoning": {
      const { type, text, time, metadata, ...rest } = piece
      return present({ type, text, time: spanOf(time), metadata: withRest(metadata, rest) })
    }
    default:
      // Of a later release: as it is, so that nothing is lost.
      return isJsonObject(content)
        ? { ...content, type: piece.type ?? "unknown" }
        : { type: "unknown", value: content }
  }
}

function toolPart({ type, id, name, state, time, metadata, ...rest }: JsonObject): JsonObject {
  return present({
    type,
    callID: id,
    tool: name,
    state: toolState(fieldsOf(state), time),
    metadata: withRest(metadata, rest),
  })
}

function toolState(state: JsonObject, time: unknown): JsonObject {
  const { status, input, content, error, metadata, ...rest } = state
  const pieces = Array.isArray(content) ? content.map(fieldsOf) : []
  const texts = pieces.flatMap(({ type, text }) =>
    type === "text" && typeof text === "string" ? [text] : [],
  )
  const others = pieces.filter(({ type }) => type !== "text")
  const failed = fieldsOf(error)
  const said = typeof error === "string" ? error : failed.message
  const kept = withRest(metadata, present({ ...rest, error: isJsonObject(error) ? error : undefined }))
  return present({
    status,
    input,
    output: status === "error" && texts.length === 0 ? undefined : outputOf(texts, status),
    error: said,
    metadata: kept,
    attachments: others.length > 0 ? others.map(attachmentOf) : undefined,
    time: toolSpan(fieldsOf(time)),
  })
}

/** What a tool gave is said in pieces, one after another; a piece that ends a line needs no break. */
function outputOf(texts: readonly string[], status: unknown): string | undefined {
  if (texts.length === 0) return status === "completed" ? "" : undefined
  return texts.reduce((all, text) => (all.endsWith("\n") ? all + text : `${all}\n${text}`))
}

function attachmentOf({
  type: _,
  uri,
  url,
  mime,
  mimeType,
  name,
  filename,
  ...rest
}: JsonObject): JsonObject {
  return present({
    type: "file",
    mime: mime ?? mimeType,
    url: url ?? uri,
    filename: filename ?? name,
    ...rest,
  })
}

/** A call is created while the model still writes it, and ran from then on when all of it was there. */
function toolSpan({ created, ran, completed, ...rest }: JsonObject): JsonObject | undefined {
  const span = present({ start: ran ?? created, end: completed, ...rest })
  return Object.keys(span).length > 0 ? span : undefined
}

function spanOf(time: unknown): unknown {
  if (!isJsonObject(time)) return time
  const { created, completed, ...rest } = time
  return present({ start: created, end: completed, ...rest })
}

/** Metadata of the agent's own, and beside it what has no place elsewhere. */
function withRest(metadata: unknown, rest: JsonObject): unknown {
  if (Object.keys(rest).length === 0) return metadata
  return { ...rest, ...fieldsOf(metadata) }
}
