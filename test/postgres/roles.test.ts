import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { openStore, postgres, type Store } from "../../src/index.ts"
import type { History } from "../../src/testing/index.ts"
import { describePostgres } from "../support/postgres.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { publish } from "./publish.ts"

/** The statements of the guide, as they stand there. */
const [ROLES = "", POLICIES = ""] = Array.from(
  readFileSync(join(import.meta.dir, "../../docs/postgres.md"), "utf8").matchAll(/```sql\n([\s\S]*?)```/g),
  ([, statements]) => statements,
)

/** A session in each of two projects, with the same word. */
function history(): History {
  const of = (folder: string) => {
    const [id, messageID] = [`ses_${folder}`, `msg_${folder}`]
    const part = { id: `prt_${folder}`, sessionID: id, messageID, type: "text", text: `plans of ${folder}` }
    return {
      session: { folder, id, body: { ...session(id, { projectID: folder, title: `in ${folder}` }) } },
      message: { folder: id, id: messageID, body: { ...message(messageID, id, 1) } },
      part: { folder: messageID, id: part.id, body: part },
    }
  }
  const both = [of("work"), of("secret")]
  return {
    sessions: both.map((one) => one.session),
    messages: both.map((one) => one.message),
    parts: both.map((one) => one.part),
    plain: {
      project: { work: { id: "work" }, secret: { id: "secret" } },
      todo: { ses_work: [{ content: "a" }], ses_secret: [{ content: "b" }] },
    },
  }
}

function open(url: string): Promise<Store> {
  const folder = tempFolder()
  const roots = [postgres(url)]
  return openStore({
    directory: join(folder, "none"),
    indexPath: join(folder, "index"),
    roots,
    backgroundIndex: false,
  })
}

async function pushOne(url: string, id: string): Promise<unknown> {
  const directory = tempFolder()
  put(directory, `session/work/${id}.json`, session(id, { projectID: "work" }))
  put(directory, `message/${id}/msg_${id}.json`, message(`msg_${id}`, id, 2))
  put(directory, `part/msg_${id}/prt_${id}.json`, { type: "text", text: "pushed plans" })
  await using store = await openStore({ directory, backgroundIndex: false })
  const pushing = store.push(url, { name: id })
  let next = await pushing.next()
  while (!next.done) next = await pushing.next()
  return next.value
}

describePostgres("the guide's roles and policies", (server) => {
  test("a reader reads, a pusher pushes, and neither does more; policies show some projects alone", async () => {
    const owner = await server.database()
    const database = owner.split("/").at(-1) ?? ""
    await publish(owner, "m1", history())
    await server.sql(ROLES, owner)
    const reader = server.url(database, "history_reader")
    const pusher = server.url(database, "history_pusher")

    await using all = await open(reader)
    expect((await Array.fromAsync(all.sessions.ids())).sort()).toEqual(["ses_secret", "ses_work"])
    for (const statement of [
      "delete from sessiondex.session",
      "update sessiondex.machine set name = 'x'",
      "insert into sessiondex.forgotten (session) values ('x')",
      "create table sessiondex.mine (id text)",
    ])
      await expect(server.sql(statement, reader)).rejects.toMatchObject({ errno: "42501" })
    await expect(pushOne(reader, "ses_denied")).rejects.toMatchObject({ code: "FLEET_UNAVAILABLE" })
    expect(await pushOne(pusher, "ses_1")).toMatchObject({ sessions: { added: 1 }, left: [] })
    await expect(server.sql("drop table sessiondex.text", pusher)).rejects.toMatchObject({ errno: "42501" })

    await server.sql(POLICIES, owner)
    await using some = await open(reader)
    expect((await Array.fromAsync(some.sessions.ids())).sort()).toEqual(["ses_1", "ses_work"])
    expect(await some.sessions.get("ses_secret")).toBeUndefined()
    expect(await Array.fromAsync(some.messages.list("ses_secret"))).toEqual([])
    expect(await some.parts.get("prt_secret")).toBeUndefined()
    await expect(some.read(["todo", "ses_secret"])).rejects.toMatchObject({ code: "NOT_FOUND" })
    await expect(some.read(["project", "secret"])).rejects.toMatchObject({ code: "NOT_FOUND" })
    expect(await some.read<unknown>(["todo", "ses_work"])).toEqual([{ content: "a" }])
    const found = await Array.fromAsync(some.search("plans"))
    expect(found.map(({ sessionID }) => sessionID).sort()).toEqual(["ses_1", "ses_work"])
    for (const table of ["session", "message", "part", "text", "side", "project"]) {
      const rows = await server.sql(`select * from sessiondex.${table}`, reader)
      expect(rows.length).toBeGreaterThan(0)
      expect(JSON.stringify(rows)).not.toContain("secret")
    }
    expect(await pushOne(pusher, "ses_2")).toMatchObject({ sessions: { added: 1 }, left: [] })
    await using whole = await open(owner)
    expect(await whole.sessions.count()).toBe(4)
  })
})
