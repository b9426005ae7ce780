import type { MessageWithParts } from "../index.ts"
import { fieldsOf, type JsonObject } from "../record/extract.ts"
import { jsonLine } from "../record/json-text.ts"
import { type Output, printable } from "./output.ts"
import { clock, LAST_TIME } from "./time.ts"

/** Lines of a tool's output that a transcript shows. */
const OUTPUT_LINES = 12
const STATE_COLOURS: ReadonlyMap<string, "green" | "red"> = new Map([
  ["completed", "green"],
  ["error", "red"],
])

function text(value: unknown): string {
  return typeof value === "string" ? printable(value) : ""
}

function duration(time: JsonObject): string {
  const { start, end } = time
  if (typeof start !== "number" || typeof end !== "number" || end < start || end > LAST_TIME) return ""
  return end - start < 1000 ? ` ${end - start} ms` : ` ${((end - start) / 1000).toFixed(1)} s`
}

function indent(lines: string, by = "  "): string[] {
  return lines.split("\n").map((line) => by + line)
}

function toolLines(part: JsonObject, output: Output): string[] {
  const state = fieldsOf(part.state)
  const status = text(state.status)
  const colour = STATE_COLOURS.get(status) ?? "yellow"
  const title = text(state.title) || text(jsonLine(state.input ?? {})).slice(0, 200)
  const head = `  ${output.style("bold", text(part.tool))} ${output.style(colour, status)}${duration(fieldsOf(state.time))}  ${title}`
  const result = (text(state.output) || text(state.error)).trimEnd()
  if (!result) return [head]
  const lines = indent(result, "    ")
  const shown = lines.slice(0, OUTPUT_LINES).map((line) => output.style("dim", line))
  if (lines.length > OUTPUT_LINES)
    shown.push(output.style("dim", `    … ${lines.length - OUTPUT_LINES} more lines`))
  return [head, ...shown]
}

function partLines(part: JsonObject, output: Output): string[] {
  switch (part.type) {
    case "text":
      return text(part.text).trim() ? indent(text(part.text).trimEnd()) : []
    case "reasoning":
      return text(part.text).trim()
        ? indent(text(part.text).trimEnd()).map((line) => output.style("dim", line))
        : []
    case "tool":
      return toolLines(part, output)
    case "file":
      return [`  ${output.style("blue", "file")} ${text(part.filename) || text(part.mime)}`]
    case "patch":
      return [
        `  ${output.style("blue", "patch")} ${Array.isArray(part.files) ? part.files.map(text).join(", ") : ""}`,
      ]
    case "subtask":
      return [`  ${output.style("blue", "subtask")} ${text(part.agent)}: ${text(part.description)}`]
    case "retry":
      return [`  ${output.style("red", "retry")} ${text(fieldsOf(part.error).message)}`]
    case "compaction":
      return [`  ${output.style("blue", "compaction")}`]
    default:
      return []
  }
}

/** A message as people read it: who, when, then its parts; step marks and snapshots say nothing to them. */
export function messageLines({ info, parts }: MessageWithParts, output: Output): string[] {
  const message = fieldsOf(info)
  const role = text(message.role) || "message"
  const model = text(message.modelID)
  const colour = role === "user" ? "magenta" : "cyan"
  const head = [
    output.style([colour, "bold"], role),
    output.style("dim", clock(fieldsOf(message.time).created)),
  ]
  if (model) head.push(output.style("dim", model))
  const error = fieldsOf(message.error)
  const lines = parts.flatMap((part) => partLines(fieldsOf(part), output))
  if (typeof error.name === "string") {
    const reason = text(fieldsOf(error.data).message)
    lines.push(`  ${output.style("red", text(error.name))}${reason ? `: ${reason}` : ""}`)
  }
  return [head.join("  "), ...lines, ""]
}
