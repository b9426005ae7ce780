import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { ToolResult } from "../../tool-part.ts"
import { blocksOf, textOf, timeOf } from "./content.ts"
import { filePart } from "./file-part.ts"

/** A block that answers a call, and the line that it lies in. */
export interface Answered {
  readonly block: JsonObject
  readonly line: JsonObject
  /** Whether what the line says of a result beside its blocks is of this one alone. */
  readonly isAlone: boolean
}

/**
 * What a tool gave. `content` is what the model was told; `toolUseResult` beside it, in shapes of each tool's own, becomes
 * metadata, but for what is the same text again.
 * @param child the session of the subagent that the call began
 */
export function toolResult(
  { block, line, isAlone }: Answered,
  input: unknown,
  child: string | undefined,
): ToolResult {
  const told = toldBy(block.content)
  const beside = isAlone ? line.toolUseResult : undefined
  const failed = block.is_error === true || told.error !== undefined
  const agent = textOf(fieldsOf(beside).agentId)
  const known = new Set([told.text, ...Object.values(fieldsOf(input))])
  const metadata = present({
    ...besides(beside, known),
    diff: diffOf(fieldsOf(beside)),
    sessionId: child ?? (agent ? `agent-${agent}` : undefined),
  })
  return {
    ...(failed ? { error: told.error ?? told.text } : { output: told.text }),
    title: titleOf(fieldsOf(input)),
    end: timeOf(line) || undefined,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    attachments: told.files.length > 0 ? told.files : undefined,
  }
}

/** What an input says of itself, where it does: people know a call of Bash by its description, of Edit by the file. */
function titleOf(input: JsonObject): string | undefined {
  return textOf(input.description) ?? textOf(input.file_path) ?? textOf(input.notebook_path)
}

function toldBy(content: unknown): { text: string; error?: string | undefined; files: JsonObject[] } {
  const texts: string[] = []
  const files: JsonObject[] = []
  let error: string | undefined
  for (const block of blocksOf(content)) {
    const file = filePart(block)
    if (file) files.push(file)
    else if (typeof block.error_code === "string") error = block.error_code
    else {
      const text = block.text ?? (block.tool_name || [block.title, block.url].filter(Boolean).join("\n"))
      if (typeof text === "string") texts.push(text)
    }
  }
  return { text: texts.join("\n"), error, files }
}

/** What stands beside a result, without what is known already: large files and outputs stand there twice and more often. */
function besides(beside: unknown, known: ReadonlySet<unknown>): JsonObject {
  // A text alone repeats the error, a list the blocks.
  if (!isJsonObject(beside)) return {}
  const rest = Object.entries(beside).filter(
    ([, value]) => value !== "" && value !== null && !known.has(value),
  )
  return Object.fromEntries(
    rest.map(([name, value]) => [name, name === "file" ? withoutData(fieldsOf(value)) : value]),
  )
}

/** An image's data stands in the result itself. */
function withoutData({ base64: _, ...file }: JsonObject): JsonObject {
  return file
}

/** What an edit changed, as a patch: `structuredPatch` has its hunks. */
function diffOf({ structuredPatch, filePath }: JsonObject): string | undefined {
  const path = textOf(filePath)
  if (!Array.isArray(structuredPatch) || structuredPatch.length === 0 || !path) return undefined
  const hunks = structuredPatch.map(fieldsOf).map(({ oldStart, oldLines, newStart, newLines, lines }) => {
    const texts = Array.isArray(lines) ? lines.filter((text) => typeof text === "string") : []
    return [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, ...texts].join("\n")
  })
  return [`--- ${path}`, `+++ ${path}`, ...hunks, ""].join("\n")
}
