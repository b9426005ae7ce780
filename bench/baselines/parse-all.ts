import * as fs from "node:fs"
import { join } from "node:path"

/** What a reader shows of a transcript. */
interface Shown {
  readonly path: string
  title: string
  updated: string
  messages: number
}

/** The files of all transcripts below a place. */
export function transcriptsOf(place: string): string[] {
  return [...new Bun.Glob("**/*.jsonl").scanSync(place)].map((name) => join(place, name))
}

/** Reads and parses every line of these files once and nothing else. */
export function parseEveryLine(paths: readonly string[]): number {
  let lines = 0
  for (const path of paths) for (const _ of linesOf(path)) lines++
  return lines
}

/** The newest sessions as readers of transcripts commonly find them: by parsing all of them at every run. */
export function newestByParsing(place: string, limit: number): Shown[] {
  const all = transcriptsOf(place).map((path) => {
    const shown: Shown = { path, title: "", updated: "", messages: 0 }
    for (const line of linesOf(path)) {
      if (line.type !== "user" && line.type !== "assistant") continue
      shown.messages++
      if (line.type === "user" && shown.title === "") shown.title = textOf(line).slice(0, 80)
      if (line.timestamp && line.timestamp > shown.updated) shown.updated = line.timestamp
    }
    return shown
  })
  return all.sort((a, b) => (a.updated < b.updated ? 1 : -1)).slice(0, limit)
}

/** The newest messages that hold some words, found the same way. */
export function searchByParsing(place: string, words: string, limit: number): unknown[] {
  const wanted = words.toLowerCase().split(" ")
  const hits: { path: string; time: string; text: string }[] = []
  for (const path of transcriptsOf(place))
    for (const line of linesOf(path)) {
      if (line.type !== "user" && line.type !== "assistant") continue
      const text = textOf(line)
      const folded = text.toLowerCase()
      if (wanted.every((word) => folded.includes(word))) hits.push({ path, time: line.timestamp ?? "", text })
    }
  return hits.sort((a, b) => (a.time < b.time ? 1 : -1)).slice(0, limit)
}

interface ParsedLine {
  readonly type?: string
  readonly timestamp?: string
  readonly message?: { readonly content?: unknown }
}

function* linesOf(path: string): Generator<ParsedLine> {
  const bytes = fs.readFileSync(path)
  for (let from = 0; from < bytes.length; ) {
    const next = bytes.indexOf(10, from)
    const end = next < 0 ? bytes.length : next
    if (end > from) yield JSON.parse(bytes.toString("utf8", from, end))
    from = end + 1
  }
}

function textOf({ message }: ParsedLine): string {
  const content = message?.content
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content
    .map((block) => block.text ?? block.thinking ?? (typeof block.content === "string" ? block.content : ""))
    .join("\n")
}
