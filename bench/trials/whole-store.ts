import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import type { Context } from "../context.ts"
import { write } from "../data/store.ts"
import { interleave } from "../measure.ts"

/**
 * Which bare looks each call has to take at least, since any program may have changed any of these meanwhile: a session's file may have become
 * another's child, a message have been copied into any session, a part have come into any folder.
 */
export const LOOKED_AT = {
  "a bare look at each session": ["first page of sessions", "children", "count by a filter", "sessions.move"],
  "a bare look at each folder of messages": ["sessions.remove", "a message that is not there"],
  "a bare look at each folder of parts": ["a part that is not there"],
  "a bare look at each message and folder of parts": ["usage"],
} as const

const MESSAGES = 25
const PARTS = 4
/** Longer than stamps take to prove something. */
const SETTLED_MS = 250

/** What calls cost that are about the whole store, and the looks they cannot do without. */
export async function wholeStoreCalls({ rounds }: Context, directory: string) {
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  const [parent = ""] = await Array.fromAsync(store.sessions.ids({ parentID: null, limit: 1 }))
  let made = 0
  let fresh = ""
  /** A session that is indexed, to be removed or moved. */
  const before = async (): Promise<void> => {
    fresh = makeSession(directory, made++)
    await Bun.sleep(SETTLED_MS)
    await store.index()
  }
  const calls = await interleave(
    rounds,
    {
      "first page of sessions": { run: () => store.sessions.page({ limit: 50 }) },
      children: { run: () => Array.fromAsync(store.sessions.children(parent)) },
      "count by a filter": { run: () => store.sessions.count({ archived: "exclude" }) },
      "a message that is not there": { run: () => store.messages.get("msg_nowhere") },
      "a part that is not there": { run: () => store.parts.get("prt_nowhere") },
      usage: { run: () => store.usage() },
      "search of two letters that are nowhere": {
        run: () => Array.fromAsync(store.search("qz", { limit: 50, in: "text" })),
      },
      "a bare look at each session": { run: () => lookAtRecords(directory, "session") },
      "a bare look at each folder of messages": { run: () => lookAtFolders(directory, "message") },
      "a bare look at each folder of parts": { run: () => lookAtFolders(directory, "part") },
      "a bare look at each message and folder of parts": {
        run: () => lookAtRecords(directory, "message") + lookAtFolders(directory, "part"),
      },
    },
    3,
  )
  const changes = await interleave(rounds, {
    "sessions.move": { before, run: () => store.sessions.move(fresh, "project9") },
    "sessions.remove": { before, run: () => store.sessions.remove(fresh) },
  })
  return { ...calls, ...changes }
}

function lookAtFolders(directory: string, kind: string): number {
  const names = fs.readdirSync(join(directory, kind))
  for (const name of names) fs.lstatSync(`${directory}/${kind}/${name}`)
  return names.length
}

function lookAtRecords(directory: string, kind: string): number {
  let looks = 0
  for (const folder of fs.readdirSync(join(directory, kind)))
    for (const name of fs.readdirSync(`${directory}/${kind}/${folder}`)) {
      fs.lstatSync(`${directory}/${kind}/${folder}/${name}`)
      looks++
    }
  return looks
}

function makeSession(directory: string, n: number): string {
  const id = `ses_made_${n}`
  const put = (kind: string, folder: string, name: string, body: unknown): void => {
    fs.mkdirSync(join(directory, kind, folder), { recursive: true })
    write(join(directory, kind, folder, `${name}.json`), body)
  }
  put("session", "project0", id, { id, projectID: "project0", title: id, time: { created: n, updated: n } })
  for (let m = 0; m < MESSAGES; m++) {
    const messageID = `msg_made_${n}_${m}`
    put("message", id, messageID, { id: messageID, sessionID: id, role: "user", time: { created: m } })
    for (let p = 0; p < PARTS; p++) {
      const partID = `prt_made_${n}_${m}_${p}`
      put("part", messageID, partID, { id: partID, sessionID: id, messageID, type: "text", text: "A text" })
    }
  }
  return id
}
