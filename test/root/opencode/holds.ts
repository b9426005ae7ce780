import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { JsonObject } from "../../../src/record/extract.ts"
import type { HeldRecord, History } from "../../../src/testing/index.ts"
import { FIXTURE } from "./support.ts"

/** What the fixture's own release answered, as a root is to hold it. */
export function answeredHistory(projects: Record<string, unknown>): History {
  const sessions: HeldRecord[] = []
  const messages: HeldRecord[] = []
  const parts: HeldRecord[] = []
  const todo: Record<string, unknown> = {}
  const answers = join(FIXTURE, "answers")
  for (const name of readdirSync(answers)) {
    const [, kind, id = ""] = /^(sessions|messages|todo)-(.*)\.json$/.exec(name) ?? []
    const read = () => JSON.parse(readFileSync(join(answers, name), "utf8"))
    if (kind === "sessions")
      for (const body of read() as JsonObject[])
        sessions.push({ folder: String(body.projectID), id: String(body.id), body })
    if (kind === "messages")
      for (const { info, parts: of } of read() as { info: JsonObject; parts: JsonObject[] }[]) {
        messages.push({ folder: id, id: String(info.id), body: info })
        for (const body of of) parts.push({ folder: String(info.id), id: String(body.id), body })
      }
    if (kind === "todo") {
      const list: unknown[] = read()
      if (list.length > 0) todo[id] = list
    }
  }
  return { sessions, messages, parts, plain: { project: projects, todo } }
}
