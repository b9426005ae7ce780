import { expect } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { JsonObject } from "../../../src/record/extract.ts"
import type { ContainerName, Line, Sides } from "../../../src/root/transcript/agent.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { type PlainSession, plainLines, plainSessions } from "./plain-parse.ts"

export const HOME = join(import.meta.dir, "..", "..", "fixtures", "claude-code")

/** A transcript of the fixture, and what its file's name says. */
export interface Transcript {
  readonly name: ContainerName
  readonly lines: readonly Line[]
}

export const SIDES: Sides = {
  text(path) {
    try {
      return readFileSync(join(HOME, path), "utf8")
    } catch {
      return undefined
    }
  },
}

/** All transcripts of the fixture, by the names of their files. */
export function fixtures(): Transcript[] {
  const paths = readdirSync(HOME, { recursive: true, encoding: "utf8" }).map((path) =>
    path.replaceAll("\\", "/"),
  )
  return paths.sort().flatMap((path) => {
    const name = claudeCode.container(path)
    return name ? [{ name, lines: plainLines(readFileSync(join(HOME, path)), name.form) }] : []
  })
}

/** Lines as they would lie in a file. */
export function linesOf(values: readonly unknown[]): Line[] {
  return plainLines(Buffer.from(values.map((value) => JSON.stringify(value)).join("\n")), "lines")
}

export const MAIN: ContainerName = {
  name: "projects/-home-dev-app/00000000-0000-4000-8000-000000000000",
  rank: 0,
  form: "lines",
  session: "00000000-0000-4000-8000-000000000000",
}

/** What lines of a session's own file say, and say again where the fold was kept and begun anew after each. */
export function sessionsOf(values: readonly unknown[], name: ContainerName = MAIN): PlainSession[] {
  const lines = linesOf(values)
  const sessions = plainSessions(claudeCode, name, lines)
  expect(plainSessions(claudeCode, name, lines, { stops: 1 })).toEqual(sessions)
  return sessions
}

/** The session of all lines made below. */
export const SESSION = MAIN.session ?? ""

let clock = 0

/** A line of a conversation, a second after the one before it. */
export function line(uuid: string, parentUuid: string | null, fields: JsonObject): JsonObject {
  clock += 1000
  const timestamp = new Date(Date.UTC(2026, 10, 1) + clock).toISOString()
  const common = {
    isSidechain: false,
    cwd: "/home/dev/app",
    sessionId: SESSION,
    version: "2.1.197",
    gitBranch: "main",
  }
  return { parentUuid, ...common, uuid, timestamp, ...fields }
}

/** A line of what the person says. */
export function user(
  uuid: string,
  parent: string | null,
  content: unknown,
  fields: JsonObject = {},
): JsonObject {
  return line(uuid, parent, { type: "user", message: { role: "user", content }, ...fields })
}

/** A line of an answer, with one block of it. */
export function assistant(
  uuid: string,
  parent: string | null,
  id: string,
  block: unknown,
  fields: JsonObject = {},
): JsonObject {
  const usage = {
    input_tokens: 10,
    output_tokens: 5,
    cache_read_input_tokens: 3,
    cache_creation_input_tokens: 2,
  }
  const message = {
    id,
    role: "assistant",
    model: "claude-sonnet-4-5",
    content: [block],
    usage,
    stop_reason: null,
  }
  return line(uuid, parent, { type: "assistant", message, requestId: `req_${id}`, ...fields })
}

/** A text block. */
export function text(said: string): JsonObject {
  return { type: "text", text: said }
}

/** A block that calls a tool. */
export function call(id: string, input: JsonObject = { command: id }, name = "Bash"): JsonObject {
  return { type: "tool_use", id, name, input }
}

/** A line with the results of calls. */
export function result(uuid: string, parent: string, ...calls: string[]): JsonObject {
  const content = calls.map((id) => ({ type: "tool_result", tool_use_id: id, content: `result of ${id}` }))
  return user(uuid, parent, content, { sourceToolAssistantUUID: parent })
}
