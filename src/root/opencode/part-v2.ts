import { fieldsOf, isJsonObject, type JsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"

/** Converts a piece of an assistant's content in opencode 2 to the part that 1.x would have written, without ids. */
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
      // From a later release: kept as it is, so that nothing is lost.
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

/** Joins the texts that a tool gave, with line breaks between them unless a text ends with one. */
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

/** The time of a tool call. It is created while the model still writes it, and begins to run when it is complete. */
function toolSpan({ created, ran, completed, ...rest }: JsonObject): JsonObject | undefined {
  const span = present({ start: ran ?? created, end: completed, ...rest })
  return Object.keys(span).length > 0 ? span : undefined
}

function spanOf(time: unknown): unknown {
  if (!isJsonObject(time)) return time
  const { created, completed, ...rest } = time
  return present({ start: created, end: completed, ...rest })
}

/** The agent's metadata, together with fields that have no other place. */
function withRest(metadata: unknown, rest: JsonObject): unknown {
  if (Object.keys(rest).length === 0) return metadata
  return { ...rest, ...fieldsOf(metadata) }
}
