import { expect, test } from "bun:test"
import type { Message } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

/** One side: when its session says it was updated, and when its message was begun and ended. */
type Side = readonly [updated: number, created: number, completed?: number]

function info([, created, completed]: Side): Message {
  const time = completed === undefined ? { created } : { created, completed }
  return message("msg_1", "ses_1", created, { time } as Partial<Message>)
}

test.each<{ name: string; store: Side; file: Side; wins: "store" | "file" }>([
  {
    name: "the store's message is newer than all of the export",
    store: [100, 500],
    file: [200, 150],
    wins: "store",
  },
  { name: "its end is", store: [100, 150, 500], file: [200, 150], wins: "store" },
  { name: "the export's message is", store: [200, 150], file: [100, 500], wins: "file" },
  {
    name: "its end is, though the store's session is newer",
    store: [200, 150],
    file: [100, 150, 500],
    wins: "file",
  },
  { name: "the session's own time is the newest of all", store: [200, 150], file: [300, 250], wins: "file" },
  { name: "both were last used at the same time", store: [100, 500], file: [500, 90], wins: "store" },
])("on a conflict the side that was last used stays: $name", async ({ store: ours, file: theirs, wins }) => {
  const directory = tempFolder()
  put(
    directory,
    "session/p/ses_1.json",
    session("ses_1", { title: "store", time: { created: 1, updated: ours[0] } }),
  )
  put(directory, "message/ses_1/msg_1.json", info(ours))
  const exported = {
    info: session("ses_1", { title: "file", projectID: "p", time: { created: 1, updated: theirs[0] } }),
    messages: [{ info: info(theirs), parts: [] }],
  }
  const file = put(tempFolder(), "export.json", exported)
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { filesOnly: true })
  const dry = await store.import(file, { onConflict: "newest", dryRun: true })
  const result = await store.import(file, { onConflict: "newest" })
  expect(dry).toMatchObject(wins === "file" ? { kept: 0 } : { replaced: 0 })
  expect(result).toMatchObject(wins === "file" ? { kept: 0 } : { replaced: 0 })
  expect(await store.sessions.get("ses_1")).toMatchObject({ title: wins })
  expect(await all(store.messages.list("ses_1"))).toMatchObject([
    { time: info(wins === "file" ? theirs : ours).time },
  ])
})
