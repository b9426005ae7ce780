import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
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

/** What lines of a session's own file say. */
export function sessionsOf(values: readonly unknown[], name: ContainerName = MAIN): PlainSession[] {
  return plainSessions(claudeCode, name, linesOf(values))
}
