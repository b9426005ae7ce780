import * as fs from "node:fs"
import { join } from "node:path"
import { write } from "./store.ts"

export const LONG_SESSION = "ses_long"

/**
 * Makes one session of so many messages, with 3.64 parts a message on average: 7,700 messages have 28,000, the longest that
 * a user reported.
 */
export function makeLongSession(directory: string, messages: number): void {
  const session = {
    id: LONG_SESSION,
    projectID: "p",
    version: "1.1.65",
    title: "Long",
    time: { created: 1, updated: 2 },
  }
  fs.mkdirSync(join(directory, "session", "p"), { recursive: true })
  fs.mkdirSync(join(directory, "message", LONG_SESSION), { recursive: true })
  write(join(directory, "session", "p", `${LONG_SESSION}.json`), session)
  for (let m = 0, parts = 0; m < messages; m++) {
    const messageID = `msg_${String(m).padStart(8, "0")}`
    const identity = { sessionID: LONG_SESSION, messageID }
    write(join(directory, "message", LONG_SESSION, `${messageID}.json`), {
      id: messageID,
      sessionID: LONG_SESSION,
      role: m % 8 === 0 ? "user" : "assistant",
      time: { created: 1_750_000_000_000 + m * 1000 },
      modelID: "model",
      providerID: "provider",
      path: { cwd: "/home/dev", root: "/home/dev" },
      tokens: { input: 1000, output: 200, reasoning: 0, cache: { read: 0, write: 0 } },
      cost: 0,
    })
    fs.mkdirSync(join(directory, "part", messageID), { recursive: true })
    for (const end = Math.floor(((m + 1) * 28_000) / 7_700); parts < end; parts++) {
      const id = `prt_${String(parts).padStart(8, "0")}`
      const text = `Part ${parts} of the long session. `.repeat(1 + ((parts * 7919) % 40))
      write(join(directory, "part", messageID, `${id}.json`), { id, ...identity, type: "text", text })
    }
  }
}

/** Makes so many sessions in four projects, without messages. */
export function makeSessions(directory: string, sessions: number): void {
  for (let s = 0; s < sessions; s++) {
    const project = `project${s % 4}`
    fs.mkdirSync(join(directory, "session", project), { recursive: true })
    const id = `ses_${String(s).padStart(8, "0")}`
    const created = 1_750_000_000_000 + s * 1000
    write(join(directory, "session", project, `${id}.json`), {
      id,
      projectID: project,
      version: "1.1.65",
      directory: `/home/dev/${project}`,
      title: `Session ${s} about this and that`,
      time: { created, updated: created + ((s * 7919) % 100_000) },
    })
  }
}
