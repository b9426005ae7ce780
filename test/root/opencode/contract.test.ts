import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { opencodeDatabase } from "../../../src/index.ts"
import type { HeldRecord, History } from "../../../src/testing/index.ts"
import { rootContract } from "../../../src/testing/index.ts"
import { treePath } from "../../support/temp.ts"
import { answeredHistory } from "./holds.ts"
import { ALL, conversation, databaseOf, FIXTURE, readerOf } from "./support.ts"

/** A database in a folder that stays for all tests of a contract. */
function lasting(make: (path: string) => void): { path: string; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "sessiondex-root-"))
  const path = join(folder, "opencode.db")
  make(path)
  return { path, close: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What a database holds, body for body as its reader gives it, which has tests of its own. */
async function historyOf(path: string): Promise<History> {
  using opened = readerOf(path)
  const { reader } = opened
  const sessions: HeldRecord[] = []
  const messages: HeldRecord[] = []
  const parts: HeldRecord[] = []
  const todo: Record<string, unknown> = {}
  for (const { id, project, body = "" } of await reader.sessions(ALL, { bodies: true })) {
    sessions.push({ folder: project, id, body: JSON.parse(body) })
    for (const { info, parts: of } of await conversation(reader, id)) {
      messages.push({ folder: id, id: String(info.id), body: info })
      for (const part of of) parts.push({ folder: String(info.id), id: String(part.id), body: part })
    }
    const list = await reader.todos(id)
    if (list.length > 0) todo[id] = list
  }
  const project = Object.fromEntries((await reader.projects()).map((body) => [String(body.id), body]))
  return { sessions, messages, parts, plain: { project, todo } }
}

rootContract("opencode's database, release 1.18.34, by its own server's answers", async () => {
  const { path, close } = lasting((at) => copyFileSync(join(FIXTURE, "opencode.db"), at))
  const { plain } = await historyOf(path)
  return { root: opencodeDatabase(path), holds: answeredHistory(plain?.project ?? {}), close }
})

rootContract("opencode's database, 1.x and 2 in one", async () => {
  const { path, close } = lasting((at) =>
    databaseOf(readFileSync(join(treePath("opencode-2.x"), "make.sql"), "utf8"), at),
  )
  return { root: opencodeDatabase(path), holds: await historyOf(path), close }
})
