import { fieldsOf, type JsonObject } from "../record/extract.ts"
import { laidOut } from "../record/json-text.ts"
import { isContext } from "./context-part.ts"
import { oneLine, printable } from "./text.ts"
import { clock } from "./time.ts"

function text(value: unknown): string {
  return typeof value === "string" ? printable(value) : ""
}

/** Text in one line, for a heading. */
function heading(value: unknown): string {
  return typeof value === "string" ? oneLine(value).replace(/\s+/g, " ").trim() : ""
}

/** A fence that the content cannot close. */
function fenced(content: string, language = ""): string {
  let longest = 2
  for (const [run] of content.matchAll(/`{3,}/g)) longest = Math.max(longest, run.length)
  const fence = "`".repeat(longest + 1)
  return `${fence}${language}\n${content.trimEnd()}\n${fence}\n`
}

function quoted(content: string): string {
  return `${content
    .trimEnd()
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n")}\n`
}

function inlineCode(value: string): string {
  return value === "" ? "" : `\`${value.replaceAll("`", "'")}\``
}

function toolSection(part: JsonObject): string {
  const { status, input, title, output, error } = fieldsOf(part.state)
  const sections = [
    `**${heading(part.tool) || "tool"}** ${heading(title)} _${heading(status) || "unknown"}_`.replace(
      / {2,}/g,
      " ",
    ),
  ]
  sections.push("")
  if (input !== undefined) sections.push(fenced(printable(laidOut(input)), "json"))
  const result = text(output) || text(error)
  if (result.trim() !== "") sections.push(fenced(result))
  return sections.join("\n")
}

/** What the agent said in the person's place, folded; in a fence, since its tags would be taken for HTML. */
function contextSection(content: string): string {
  return `<details><summary>Context</summary>\n\n${fenced(content)}\n</details>\n`
}

/** The head of a transcript: what the session is called, and when and where it ran. */
export function markdownHead(session: unknown): string {
  const { id, title, directory, time } = fieldsOf(session)
  const { created, updated } = fieldsOf(time)
  const facts = [
    ["Session", inlineCode(heading(id))],
    ["Folder", inlineCode(heading(directory))],
    ["Created", clock(created)],
    ["Updated", clock(updated)],
  ]
  const lines = facts.filter(([, value]) => value).map(([name, value]) => `- ${name}: ${value}`)
  return `# ${heading(title) || heading(id) || "Session"}\n\n${lines.join("\n")}\n`
}

/** A message's heading: who, when, with which model; and what went wrong. */
export function markdownMessage(info: unknown): string {
  const { role, time, modelID, error } = fieldsOf(info)
  const facts = [clock(fieldsOf(time).created), heading(modelID)].filter(Boolean).join(", ")
  const head = `\n## ${heading(role) || "message"}${facts ? ` (${facts})` : ""}\n`
  const { name, data } = fieldsOf(error)
  if (typeof name !== "string") return head
  return `${head}\n**${heading(name)}** ${heading(fieldsOf(data).message)}\n`
}

/** A part as Markdown, or nothing for step marks and snapshots, which say nothing to people. */
export function markdownPart(body: unknown): string {
  const part = fieldsOf(body)
  switch (part.type) {
    case "text":
      if (!text(part.text).trim()) return ""
      return `\n${isContext(part) ? contextSection(text(part.text)) : `${text(part.text).trimEnd()}\n`}`
    case "reasoning":
      return text(part.text).trim() ? `\n${quoted(text(part.text))}` : ""
    case "tool":
      return `\n${toolSection(part)}`
    case "file":
      return `\nFile: ${inlineCode(heading(part.filename) || heading(part.mime))}\n`
    case "patch":
      return `\nPatch: ${Array.isArray(part.files) ? part.files.map((file) => inlineCode(heading(file))).join(", ") : ""}\n`
    case "subtask":
      return `\nSubtask for ${heading(part.agent)}: ${heading(part.description)}\n`
    case "compaction":
      return `\n_The conversation was compacted${part.auto === true ? " by itself" : ""}_\n`
    case "retry":
      return `\nRetry: ${heading(fieldsOf(part.error).message)}\n`
    default:
      return ""
  }
}
