import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { JsonObject } from "../../../src/record/extract.ts"
import type { Line, Sides } from "../../../src/root/transcript/agent.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import { NO_SIDES, type PlainSession, plainLines, plainSessions } from "./plain-parse.ts"

/** A home as 0.20, 0.27 and 0.61 wrote it. */
export const HOME = join(import.meta.dir, "..", "..", "fixtures", "gemini-cli")

export const SIDES: Sides = {
  text: (path) => (existsSync(join(HOME, path)) ? readFileSync(join(HOME, path), "utf8") : undefined),
}

/** The containers of that home, by name, with the lines of all their files. */
export function fixtures(): [name: string, lines: Line[]][] {
  const found = readdirSync(HOME, { recursive: true, encoding: "utf8" })
    .flatMap((path) => {
      const name = geminiCli.container(path)
      return name ? [{ path, name }] : []
    })
    .sort((a, b) => a.name.rank - b.name.rank || (a.path < b.path ? -1 : 1))
  return [...Map.groupBy(found, ({ name }) => name.name)].map(([name, files]) => [
    name,
    files.flatMap(({ path, name: { form } }, file) => plainLines(readFileSync(join(HOME, path)), form, file)),
  ])
}

export function nameOf(name: string) {
  const container = geminiCli.container(`${name}.jsonl`)
  if (!container) throw new Error(`${name} is no transcript of Gemini CLI`)
  return container
}

export const NAME = nameOf("tmp/app/chats/session-2026-11-01T00-00-5e551000")

/** Values as lines of one file. */
export function linesOf(values: readonly unknown[]): Line[] {
  return values.map((value, at) => ({ value, span: [0, at * 100, 99] }))
}

export function sessionsOf(values: readonly unknown[], sides = NO_SIDES): PlainSession[] {
  return plainSessions(geminiCli, NAME, linesOf(values), { sides })
}

export const HEADER = {
  sessionId: "5e551000-0000-4000-8000-000000000000",
  projectHash: "00",
  startTime: "2026-11-01T00:00:00.000Z",
  lastUpdated: "2026-11-01T00:00:00.000Z",
  kind: "main",
}

/** ISO time, so many seconds after the header's. */
export function after(seconds: number): string {
  return new Date(Date.parse(HEADER.startTime) + seconds * 1000).toISOString()
}

export function user(id: string, content: unknown, seconds = 1, fields: JsonObject = {}): JsonObject {
  return {
    id,
    timestamp: after(seconds),
    type: "user",
    content: typeof content === "string" ? [{ text: content }] : content,
    ...fields,
  }
}

export const TOKENS = { input: 100, output: 20, cached: 40, thoughts: 5, tool: 7, total: 132 }

export function gemini(id: string, content: unknown, seconds = 2, fields: JsonObject = {}): JsonObject {
  return {
    id,
    timestamp: after(seconds),
    type: "gemini",
    content,
    tokens: TOKENS,
    model: "gemini-3",
    ...fields,
  }
}

export function response(id: string, output: unknown): JsonObject {
  return { functionResponse: { id, name: "read_file", response: { output } } }
}

export function call(id: string, fields: JsonObject = {}): JsonObject {
  return { id, name: "read_file", args: { path: id }, status: "success", timestamp: after(9), ...fields }
}

export function set(messages: readonly unknown[]): JsonObject {
  return { $set: { messages, lastUpdated: after(60) } }
}

export const FRAME = user("frame", "<session_context>\nThis is the Gemini CLI.\n</session_context>", 0)

/** Who says what in a session: a line a message, its texts, tools and files. */
export function told(session: PlainSession | undefined): string[] {
  return (session?.messages ?? []).map(({ info, parts }) =>
    [
      info.role,
      ...parts.map(
        ({ type, text, tool, mime, synthetic }) => `${synthetic ? "~" : ""}${text ?? tool ?? mime ?? type}`,
      ),
    ].join(" | "),
  )
}
