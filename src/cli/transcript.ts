import type { MessageWithParts } from "../index.ts"
import { fieldsOf, type JsonObject } from "../record/extract.ts"
import { jsonLine } from "../record/json-text.ts"
import { isContext } from "./context-part.ts"
import type { Output } from "./output.ts"
import { oneLine, printable } from "./text.ts"
import { clock, LAST_TIME } from "./time.ts"

/** Lines of a tool's output, or of context, that a transcript shows. */
const OUTPUT_LINES = 12
const STATE_COLOURS: ReadonlyMap<string, "green" | "red"> = new Map([
  ["completed", "green"],
  ["error", "red"],
])

/** Text of several lines. */
function text(value: unknown): string {
  return typeof value === "string" ? printable(value) : ""
}

/** Text within a line. */
function line(value: unknown): string {
  return typeof value === "string" ? oneLine(value) : ""
}

function duration(time: JsonObject): string {
  const { start, end } = time
  if (typeof start !== "number" || typeof end !== "number" || end < start || end > LAST_TIME) return ""
  return end - start < 1000 ? ` ${end - start} ms` : ` ${((end - start) / 1000).toFixed(1)} s`
}

function indent(lines: string, by = "  "): string[] {
  return lines.split("\n").map((each) => by + each)
}

function toolLines(part: JsonObject, output: Output): string[] {
  const state = fieldsOf(part.state)
  const status = line(state.status)
  const colour = STATE_COLOURS.get(status) ?? "yellow"
  const title = line(state.title) || line(jsonLine(state.input ?? {})).slice(0, 200)
  const head = `  ${output.style("bold", line(part.tool))} ${output.style(colour, status)}${duration(fieldsOf(state.time))}  ${title}`
  return [head, ...beginning((text(state.output) || text(state.error)).trimEnd(), output)]
}

/** The first lines of a long text. */
function beginning(content: string, output: Output): string[] {
  if (!content) return []
  const lines = indent(content, "    ")
  const shown = lines.slice(0, OUTPUT_LINES).map((each) => output.style("dim", each))
  if (lines.length > OUTPUT_LINES)
    shown.push(output.style("dim", `    … ${lines.length - OUTPUT_LINES} more lines`))
  return shown
}

function partLines(part: JsonObject, output: Output): string[] {
  switch (part.type) {
    case "text":
      if (!text(part.text).trim()) return []
      return isContext(part)
        ? [`  ${output.style("blue", "context")}`, ...beginning(text(part.text).trimEnd(), output)]
        : indent(text(part.text).trimEnd())
    case "reasoning":
      return text(part.text).trim()
        ? indent(text(part.text).trimEnd()).map((each) => output.style("dim", each))
        : []
    case "tool":
      return toolLines(part, output)
    case "file":
      return [`  ${output.style("blue", "file")} ${line(part.filename) || line(part.mime)}`]
    case "patch":
      return [
        `  ${output.style("blue", "patch")} ${Array.isArray(part.files) ? part.files.map(line).join(", ") : ""}`,
      ]
    case "subtask":
      return [`  ${output.style("blue", "subtask")} ${line(part.agent)}: ${line(part.description)}`]
    case "retry":
      return [`  ${output.style("red", "retry")} ${line(fieldsOf(part.error).message)}`]
    case "compaction":
      return [`  ${output.style("blue", "compaction")}`]
    default:
      return []
  }
}

/** A message as people read it: who, when, then its parts; step marks and snapshots say nothing to them. */
export function messageLines({ info, parts }: MessageWithParts, output: Output): string[] {
  const message = fieldsOf(info)
  const role = line(message.role) || "message"
  const model = line(message.modelID)
  const colour = role === "user" ? "magenta" : "cyan"
  const head = [
    output.style([colour, "bold"], role),
    output.style("dim", clock(fieldsOf(message.time).created)),
  ]
  if (model) head.push(output.style("dim", model))
  const error = fieldsOf(message.error)
  const lines = parts.flatMap((part) => partLines(fieldsOf(part), output))
  if (typeof error.name === "string") {
    const reason = line(fieldsOf(error.data).message)
    lines.push(`  ${output.style("red", line(error.name))}${reason ? `: ${reason}` : ""}`)
  }
  return [head.join("  "), ...lines, ""]
}
