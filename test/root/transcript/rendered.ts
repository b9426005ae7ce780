import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import type { PlainSession } from "./plain-parse.ts"

const LONG = 72

/** A transcript as a few lines for people: what was said by whom, with its tools, tokens and times since the session began. */
export function rendered({ info, messages }: PlainSession): string {
  const { title, parentID, directory, version, metadata } = info
  const { created } = fieldsOf(info.time)
  const since = (time: unknown): string =>
    typeof time === "number" && time > 0 ? `+${time - Number(created)}` : "-"
  const head = [
    `# ${title}`,
    `${info.id}${parentID === undefined ? "" : ` child of ${parentID}`}`,
    `${directory ?? "nowhere"} ${version || "no version"} ${new Date(Number(created)).toISOString()} ${since(fieldsOf(info.time).updated)}`,
    ...(metadata === undefined ? [] : [JSON.stringify(metadata)]),
  ]
  const bodies = messages.map(({ info: message, parts }) => {
    const { role, tokens, modelID, providerID, time, summary, error, metadata: more } = message
    const { input, output, reasoning, cache } = fieldsOf(tokens)
    const told = [
      role,
      String(message.id).split("~").at(-1),
      since(fieldsOf(time).created),
      ...(role === "assistant"
        ? [since(fieldsOf(time).completed), `${modelID ?? "?"}/${providerID ?? "?"}`]
        : []),
      ...(tokens === undefined ? [] : [`${input}+${fieldsOf(cache).read} > ${output}+${reasoning}`]),
      ...(summary === true ? ["summary"] : []),
      ...(error === undefined ? [] : [JSON.stringify(error)]),
      ...(more === undefined ? [] : [JSON.stringify(more)]),
    ]
    return [`## ${told.join(" ")}`, ...parts.map(renderedPart)].join("\n")
  })
  return [...head, ...bodies].join("\n")
}

function renderedPart(part: JsonObject): string {
  const { type, text, synthetic, state, tool, callID, mime, url, auto } = part
  if (type === "file") return `  file ${mime} ${short(url)}`
  if (type === "compaction") return `  compaction auto=${auto}`
  if (type !== "tool") return `  ${type}${synthetic === true ? " (synthetic)" : ""}: ${short(text)}`
  const { status, input, output, error, metadata, attachments } = fieldsOf(state)
  const { start, end } = fieldsOf(fieldsOf(state).time)
  const took = typeof start === "number" && typeof end === "number" ? ` ${end - start} ms` : ""
  return [
    `  ${tool} ${callID} ${status}${took} ${short(JSON.stringify(input))}`,
    ...(output === undefined ? [] : [`    = ${short(output)}`]),
    ...(error === undefined ? [] : [`    ! ${short(error)}`]),
    ...(metadata === undefined ? [] : [`    ${short(JSON.stringify(metadata))}`]),
    ...(attachments === undefined ? [] : [`    + ${short(JSON.stringify(attachments))}`]),
  ].join("\n")
}

function short(text: unknown): string {
  const line = JSON.stringify(String(text)).slice(1, -1)
  return line.length <= LONG ? line : `${line.slice(0, LONG).toWellFormed()}… (${line.length})`
}
