import * as fs from "node:fs"
import { join } from "node:path"
import type { HeldRecord, History } from "../../src/testing/index.ts"
import { olderRecords } from "../support/older.ts"
import { Random } from "../support/random.ts"
import { message, session } from "../support/records.ts"
import { put } from "../support/temp.ts"

const OWNER = { session: "projectID", message: "sessionID", part: "messageID" } as const

/** What a folder of JSON files holds, as the plainest code reads it. */
export function historyOf(directory: string): History {
  const records = (kind: keyof typeof OWNER): HeldRecord[] =>
    names(join(directory, kind)).flatMap((folder) =>
      names(join(directory, kind, folder))
        .sort()
        .map((name) => {
          const id = name.slice(0, -".json".length)
          const body = JSON.parse(fs.readFileSync(join(directory, kind, folder, name), "utf8"))
          return { folder, id, body: { ...body, id, [OWNER[kind]]: folder } }
        }),
    )
  const plain: Record<string, Record<string, unknown>> = {}
  for (const kind of ["project", "todo", "session_diff"])
    for (const name of names(join(directory, kind))) {
      plain[kind] ??= {}
      plain[kind][name.slice(0, -".json".length)] = JSON.parse(
        fs.readFileSync(join(directory, kind, name), "utf8"),
      )
    }
  return { sessions: records("session"), messages: records("message"), parts: records("part"), plain }
}

function names(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder) : []
}

/** A history made by chance: equal times, copies in two projects, children, archived sessions, orphans, odd texts. */
export function randomHistory(seed: number): History {
  const random = new Random(seed)
  const words = ["parse", "Config", "naïve", "漢字", "🙂 smile", "under_score", "100%", "ab", "x"]
  const text = (): string => Array.from({ length: 1 + random.below(6) }, () => random.pick(words)).join(" ")
  const sessions: HeldRecord[] = []
  const messages: HeldRecord[] = []
  const parts: HeldRecord[] = []
  for (let n = 0; n < 24; n++) {
    const id = `ses_${String(n).padStart(2, "0")}`
    for (const folder of random.chance(0.2) ? ["one", "two"] : [random.pick(["one", "two", "three"])]) {
      const body = session(id, {
        projectID: folder,
        title: text(),
        directory: random.pick(["/home/dev/app", "/home/dev/lib"]),
        time: {
          created: random.below(20),
          updated: random.below(20),
          ...(random.chance(0.3) && { archived: 5 }),
        },
        ...(random.chance(0.3) && { parentID: `ses_${String(random.below(24)).padStart(2, "0")}` }),
      })
      sessions.push({ folder, id, body: { ...body } })
    }
    for (let m = random.below(7); m > 0; m--) {
      const messageID = `msg_${n}_${m}`
      messages.push({ folder: id, id: messageID, body: { ...message(messageID, id, random.below(9)) } })
      for (let p = 0; p < random.below(5); p++)
        parts.push({
          folder: messageID,
          id: `prt_${n}_${m}_${p}`,
          body: { id: `prt_${n}_${m}_${p}`, sessionID: id, messageID, type: "text", text: text() },
        })
    }
  }
  messages.push({ folder: "ses_gone", id: "msg_orphan", body: { ...message("msg_orphan", "ses_gone", 3) } })
  return {
    sessions,
    messages,
    parts,
    plain: {
      project: { one: { id: "one", worktree: "/home/dev/app", time: { created: 1 } } },
      todo: { ses_01: [{ content: "read", status: "pending" }] },
    },
  }
}

/** Writes a history as JSON files. */
export function writeHistory(directory: string, history: History): void {
  for (const [kind, records] of [
    ["session", history.sessions],
    ["message", history.messages],
    ["part", history.parts],
  ] as const)
    for (const { folder, id, body } of records) put(directory, `${kind}/${folder}/${id}.json`, body)
  for (const [kind, records] of Object.entries(history.plain ?? {}))
    for (const [id, value] of Object.entries(records)) put(directory, `${kind}/${id}.json`, value)
}

/** What a folder in the older layout holds, as if it were in the current one. */
export function olderHistory(older: string): History {
  const records: Record<keyof typeof OWNER, HeldRecord[]> = { session: [], message: [], part: [] }
  for (const [key, text] of olderRecords(older)) {
    const [kind = "", folder = "", name = ""] = key.split("/")
    if (!(kind in OWNER)) continue
    const known = kind as keyof typeof OWNER
    const id = name.slice(0, -".json".length)
    records[known].push({ folder, id, body: { ...JSON.parse(text), id, [OWNER[known]]: folder } })
  }
  return { sessions: records.session, messages: records.message, parts: records.part }
}
