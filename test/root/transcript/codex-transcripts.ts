import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import type { ContainerName, Line, Sides } from "../../../src/root/transcript/agent.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { type PlainSession, plainLines, plainSessions } from "./plain-parse.ts"

/** A home of Codex as its releases 0.29 to 0.171 wrote it. */
export const HOME = join(import.meta.dir, "../../fixtures/codex")

/** The small files beside the fixtures. */
export const SIDES: Sides = { text: (path) => readFileSync(join(HOME, path), "utf8") }

/** A container of the fixtures, with the lines that a reader of it sees: those of its bases first. */
export interface Rollout {
  readonly name: ContainerName
  readonly lines: readonly Line[]
}

/** All containers of the fixtures, by their paths. */
export function rollouts(): Rollout[] {
  const paths = [...new Bun.Glob("*sessions/**/*.jsonl").scanSync(HOME)].sort()
  const names = paths.flatMap((path) => {
    const name = codex.container(path)
    return name ? [{ path, name }] : []
  })
  return names.map(({ path, name }) => {
    const files = [readFileSync(join(HOME, path))]
    for (;;) {
      const first = plainLines(files[0] ?? Buffer.from(""), "lines")[0]
      const base = codex.base?.(first?.value)
      const file = base && names.find((other) => other.name.session === base.session)
      if (!file) break
      files.unshift(readFileSync(join(HOME, file.path)).subarray(0, base.bytes))
    }
    return { name, lines: files.flatMap((bytes, file) => plainLines(bytes, "lines", file)) }
  })
}

export const SESSION = "01a30000-0000-7000-8000-000000000000"

/** The name of a container that is made in a test. */
export function named(session = SESSION): ContainerName {
  const name = codex.container(`sessions/2026/11/29/rollout-2026-11-29T08-00-00-${session}.jsonl`)
  if (!name) throw new Error("no container")
  return name
}

/** Made lines, one after the other in a file. */
export function placedLines(values: readonly unknown[], file = 0): Line[] {
  return values.map((value, at) => ({ value, span: [file, at * 10, 9] }))
}

/** The sessions that made lines say. */
export function sessionsOf(
  values: readonly unknown[],
  options: { stops?: number; sides?: Sides } = {},
): PlainSession[] {
  return plainSessions(codex, named(), placedLines(values), options)
}

let clock = 0

/** A line of today's form, a second after the one before it. */
export function line(type: string, payload: JsonObject, beside: JsonObject = {}): JsonObject {
  clock += 1000
  return { timestamp: new Date(Date.UTC(2026, 10, 29, 8) + clock).toISOString(), type, payload, ...beside }
}

export function meta(fields: JsonObject = {}): JsonObject {
  const git = {
    branch: "main",
    commit_hash: "c0ffee",
    repository_url: "https://dev:token@example.com/app.git",
  }
  return line("session_meta", {
    id: SESSION,
    cwd: "/home/dev/app",
    cli_version: "0.130.0",
    model_provider: "p",
    git,
    ...fields,
  })
}

export function item(type: string, fields: JsonObject, beside: JsonObject = {}): JsonObject {
  return line("response_item", { type, ...fields }, beside)
}

export function event(type: string, fields: JsonObject = {}): JsonObject {
  return line("event_msg", { type, ...fields })
}

export function said(text: string, fields: JsonObject = {}): JsonObject {
  return item("message", { role: "user", content: [{ type: "input_text", text }], ...fields })
}

export function answer(text: string, fields: JsonObject = {}): JsonObject {
  return item("message", { role: "assistant", content: [{ type: "output_text", text }], ...fields })
}

export function call(id: string, fields: JsonObject = {}): JsonObject {
  return item("function_call", { name: "shell", arguments: `{"cmd":"${id}"}`, call_id: id, ...fields })
}

export function output(id: string, text: unknown = `out of ${id}`): JsonObject {
  return item("function_call_output", { call_id: id, output: text })
}

export function count(total: number, output: number): JsonObject {
  const usage = { input_tokens: 0, output_tokens: output, total_tokens: output }
  return event("token_count", {
    info: { total_token_usage: { total_tokens: total }, last_token_usage: usage },
  })
}

/** Turns of a fork's own, and of its source: their ids tell times after and before the fork's. */
export const OWN_TURN = "01a30000-0001-7000-8000-000000000000"
export const OLD_TURN = "01a2ffff-0001-7000-8000-000000000000"

/** The meta of the session that a fork replays. */
export function source(): JsonObject {
  return meta({ id: "01a2fffe-0000-7000-8000-000000000000" })
}

/** What was said, a line a message: its texts, its calls with what they gave, and what it took. */
export function told(session: PlainSession | undefined): string[] {
  return (session?.messages ?? []).map(({ info, parts }) => {
    const pieces = parts.map((part) => {
      const { status, output, error } = fieldsOf(part.state)
      if (part.type === "tool") return `${part.tool} ${part.callID} ${status} ${error ?? output ?? ""}`.trim()
      return part.text === undefined ? String(part.type) : `${part.synthetic === true ? "~" : ""}${part.text}`
    })
    const { output } = fieldsOf(info.tokens)
    return `${info.role === "user" ? ">" : "<"} ${pieces.join(" | ")}${output === undefined ? "" : ` (${output})`}`
  })
}

export function partsOf(session: PlainSession | undefined): JsonObject[] {
  return (session?.messages ?? []).flatMap(({ parts }) => parts)
}
