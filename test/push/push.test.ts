import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { describePostgres } from "../support/postgres.ts"
import { message, part, session } from "../support/records.ts"
import { copyOfTree, put, tempFolder, untilProven } from "../support/temp.ts"
import { pushed, putSmall, small } from "./pushing.ts"
import { plainSessions, publishedIn } from "./tables.ts"

describePostgres("a push", (server) => {
  test("publishes everything once, and again only what changed", async () => {
    const url = await server.database()
    const directory = copyOfTree("opencode-1.1.65/storage")
    const wanted = plainSessions(directory)
    const count = Object.keys(wanted).length
    const first = await pushed(directory, url, { name: "one" })
    expect(first).toMatchObject({
      sessions: { added: count, changed: 0, unchanged: 0 },
      left: [],
      masked: {},
    })
    expect(first.yielded).toHaveLength(count)
    expect(await publishedIn(server, url)).toEqual({ one: wanted })
    const sequences = () =>
      server.sql("select id, sequence, xmin::text from sessiondex.session order by id", url)
    const before = await sequences()
    await untilProven()
    expect(await pushed(directory, url)).toMatchObject({
      sessions: { added: 0, changed: 0, unchanged: count },
      records: 0,
    })
    await untilProven()
    expect(await pushed(directory, url)).toMatchObject({ sessions: { unchanged: count } })
    expect((await sequences()).map(({ sequence }) => sequence)).toEqual(
      before.map(({ sequence }) => sequence),
    )
    const settled = await sequences()
    expect(await pushed(directory, url)).toMatchObject({ sessions: { unchanged: count } })
    // Known by the index, so not even looked at.
    expect(await sequences()).toEqual(settled)
    const [changedID = ""] = Object.keys(wanted)
    const [messageName = ""] = fs.readdirSync(join(directory, "message", changedID))
    put(directory, `part/${messageName.slice(0, -5)}/prt_new.json`, { type: "text", text: "news" })
    const again = await pushed(directory, url)
    expect(again).toMatchObject({ sessions: { changed: 1, unchanged: count - 1 } })
    expect(again.yielded).toMatchObject([{ sessionID: changedID, action: "changed" }])
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
  })

  test("content decides: a file that was only touched is not published again, one of the same size and time is", async () => {
    const url = await server.database()
    const directory = small()
    await pushed(directory, url, { name: "one" })
    const file = join(directory, "part/msg_ses_1_a/prt_ses_1_a.json")
    await untilProven()
    fs.utimesSync(file, new Date(), new Date())
    expect(await pushed(directory, url)).toMatchObject({ sessions: { unchanged: 1 }, records: 0 })
    const { mtime } = fs.statSync(file)
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("text of", "TEXT of"))
    fs.utimesSync(file, mtime, mtime)
    expect(await pushed(directory, url)).toMatchObject({ sessions: { changed: 1 } })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
  })

  test("a database that was dropped, and an index that was deleted, are filled again by pushing", async () => {
    const url = await server.database()
    const directory = small()
    await pushed(directory, url, { name: "one" })
    fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
    expect(await pushed(directory, url)).toMatchObject({ sessions: { unchanged: 1 }, records: 0 })
    await server.sql("drop schema sessiondex cascade", url)
    expect(await pushed(directory, url)).toMatchObject({ sessions: { added: 1 } })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
  })

  test("what is removed here stays there, until it is to be deleted", async () => {
    const url = await server.database()
    const directory = small()
    putSmall(directory, "ses_2")
    await pushed(directory, url, { name: "one" })
    const both = await publishedIn(server, url)
    fs.rmSync(join(directory, "session/proj/ses_2.json"))
    fs.rmSync(join(directory, "message/ses_2"), { recursive: true })
    expect(await pushed(directory, url)).toMatchObject({ sessions: { unchanged: 1, removed: 0 } })
    expect(await publishedIn(server, url)).toEqual(both)
    expect((await pushed(directory, url, { delete: true, dryRun: true })).yielded).toMatchObject([
      { sessionID: "ses_2", action: "removed" },
    ])
    expect(await publishedIn(server, url)).toEqual(both)
    expect(await pushed(directory, url, { delete: true })).toMatchObject({ sessions: { removed: 1 } })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
    expect(await server.sql("select session, sequence > 2 as later from sessiondex.removal", url)).toEqual([
      { session: "ses_2", later: true },
    ])
    putSmall(directory, "ses_2")
    expect(await pushed(directory, url)).toMatchObject({ sessions: { added: 1 } })
    expect(await server.sql("select session from sessiondex.removal", url)).toEqual([])
  })

  test("a disk that is not there has removed nothing", async () => {
    const url = await server.database()
    const directory = small()
    await pushed(directory, url, { name: "one" })
    const all = await publishedIn(server, url)
    fs.renameSync(join(directory, "session"), join(directory, "away"))
    fs.mkdirSync(join(directory, "session"))
    const empty = await pushed(directory, url, { delete: true })
    expect(empty).toMatchObject({ sessions: { removed: 0 }, left: [{ code: "CONFLICT" }] })
    fs.rmdirSync(join(directory, "session"))
    fs.writeFileSync(join(directory, "session"), "")
    expect(await pushed(directory, url, { delete: true })).toMatchObject({ sessions: { removed: 0 } })
    expect(await publishedIn(server, url)).toEqual(all)
    fs.rmSync(join(directory, "session"))
    expect(await pushed(directory, url, { delete: true, force: true })).toMatchObject({
      sessions: { removed: 1 },
    })
  })

  test("a session never becomes poorer by a push, unless it is newer or that is wanted", async () => {
    const url = await server.database()
    const directory = small()
    await pushed(directory, url, { name: "one" })
    const rich = await publishedIn(server, url)
    fs.rmSync(join(directory, "message/ses_1/msg_ses_1_b.json"))
    fs.rmSync(join(directory, "part/msg_ses_1_a/prt_ses_1_a.json"))
    put(directory, "session/proj/ses_1.json", session("ses_1", { title: "A truncated copy" }))
    putSmall(directory, "ses_2")
    for (const dryRun of [true, false])
      expect(await pushed(directory, url, { dryRun })).toMatchObject({
        sessions: { changed: 0, added: 1 },
        left: [{ code: "CONFLICT", message: expect.stringContaining("lacks 1 messages and 1 parts") }],
      })
    expect((await publishedIn(server, url)).one?.ses_1).toEqual(rich.one?.ses_1)
    // The agent itself took them back.
    put(directory, "session/proj/ses_1.json", session("ses_1", { time: { created: 1000, updated: 2000 } }))
    expect(await pushed(directory, url)).toMatchObject({ sessions: { changed: 1 }, left: [] })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
    fs.rmSync(join(directory, "message/ses_1/msg_ses_1_a.json"))
    expect((await pushed(directory, url)).left).toHaveLength(1)
    expect(await pushed(directory, url, { force: true })).toMatchObject({
      sessions: { changed: 1 },
      left: [],
    })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
  })

  test("what cannot be read stays as it was published, and hinders nothing", async () => {
    const url = await server.database()
    const directory = small()
    await pushed(directory, url, { name: "one" })
    const wanted = plainSessions(directory).ses_1
    if (!wanted) throw new Error("There is no session")
    put(directory, "part/msg_ses_1_a/prt_ses_1_a.json", "{ torn")
    put(directory, "message/ses_1/msg_ses_1_b.json", "{ torn")
    put(directory, "message/ses_1/msg_new.json", message("msg_new", "ses_1", 9))
    put(directory, "todo/ses_1.json", "{ torn")
    const result = await pushed(directory, url)
    expect(result).toMatchObject({ sessions: { changed: 1 }, left: [] })
    const grown = {
      ...wanted,
      messages: [...wanted.messages, { body: message("msg_new", "ses_1", 9), parts: [] }],
    }
    expect(await publishedIn(server, url)).toEqual({ one: { ses_1: grown } })
    expect(await pushed(directory, url)).toMatchObject({ sessions: { unchanged: 1 }, records: 0 })
  })

  test("one record that the database does not take costs its session alone", async () => {
    const url = await server.database()
    const directory = small()
    putSmall(directory, "ses_2")
    await pushed(small("ses_0"), url)
    await server.sql(
      "alter table sessiondex.part add constraint odd check (body not like '%prt_ses_2_b%')",
      url,
    )
    const result = await pushed(directory, url, { name: "one" })
    expect(result).toMatchObject({ sessions: { added: 1 }, left: [{ code: "INVALID_RECORD" }] })
    expect(result.left[0]?.path).toContain("ses_2")
    expect(Object.keys((await publishedIn(server, url)).one ?? {})).toEqual(["ses_1"])
    await server.sql("alter table sessiondex.part drop constraint odd", url)
    expect(await pushed(directory, url)).toMatchObject({ sessions: { added: 1, unchanged: 1 }, left: [] })
  })

  test("odd texts and bodies come through as they are", async () => {
    const url = await server.database()
    const directory = small("ses_1", { title: "NUL \0, half \ud83d, 漢字 🙂" })
    put(
      directory,
      "part/msg_ses_1_a/prt_odd.json",
      `{"type":"text","text":"\\u0000 \\ud800 'x' \\\\ $1","a":[12345678901234567890]}`,
    )
    put(directory, "todo/ses_1.json", [{ content: "\0" }])
    expect(await pushed(directory, url, { name: "one" })).toMatchObject({ sessions: { added: 1 }, left: [] })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
    expect(await pushed(directory, url)).toMatchObject({ sessions: { unchanged: 1 } })
  })

  test("a long session of large parts is published whole, and then only what is new of it", async () => {
    const url = await server.database()
    const directory = tempFolder()
    put(directory, "session/proj/ses_1.json", session("ses_1"))
    for (let at = 0; at < 40; at++) {
      put(directory, `message/ses_1/msg_${at + 100}.json`, message(`msg_${at + 100}`, "ses_1", at))
      put(
        directory,
        `part/msg_${at + 100}/prt_1.json`,
        part("prt_1", `msg_${at + 100}`, `${at} word `.repeat(15_000)),
      )
    }
    expect(await pushed(directory, url, { name: "one" })).toMatchObject({
      sessions: { added: 1 },
      records: 81,
    })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
    put(directory, "message/ses_1/msg_900.json", message("msg_900", "ses_1", 900))
    expect(await pushed(directory, url)).toMatchObject({ sessions: { changed: 1 }, records: 2 })
    expect(await publishedIn(server, url)).toEqual({ one: plainSessions(directory) })
  }, 20_000)
})
