import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore, postgres, type Store } from "../../src/index.ts"
import type { History } from "../../src/testing/index.ts"
import { describePostgres } from "../support/postgres.ts"
import { message, session } from "../support/records.ts"
import { tempFolder } from "../support/temp.ts"
import { publish } from "./publish.ts"

/** A session of one message that says something, as it was at a time. */
function saying(id: string, words: string, updated: number): History {
  const messageID = `msg_${id}`
  const part = { id: `prt_${id}`, sessionID: id, messageID, type: "text", text: words }
  const time = { created: 1, updated }
  return {
    sessions: [{ folder: "p", id, body: { ...session(id, { projectID: "p", title: words, time }) } }],
    messages: [{ folder: id, id: messageID, body: { ...message(messageID, id, 1) } }],
    parts: [{ folder: messageID, id: part.id, body: part }],
  }
}

function together(...all: History[]): History {
  return {
    sessions: all.flatMap(({ sessions }) => sessions),
    messages: all.flatMap(({ messages }) => messages),
    parts: all.flatMap(({ parts }) => parts),
  }
}

function open(url: string, machine?: string): Promise<Store> {
  const folder = tempFolder()
  return openStore({
    directory: join(folder, "none"),
    indexPath: join(folder, "index"),
    roots: [postgres(url, { machine })],
    backgroundIndex: false,
  })
}

const wordsOf = async (store: Store, id: string): Promise<unknown[]> =>
  (await Array.fromAsync(store.messages.stream(id))).flatMap(({ parts }) => parts.map((part) => part.text))

describePostgres("a session of several machines", (server) => {
  let shared: Promise<string> | undefined
  /** One that no test changes. */
  const fleet = (): Promise<string> => (shared ??= fill())

  async function fill(): Promise<string> {
    const url = await server.database()
    await publish(url, "a", together(saying("ses_1", "old alpha", 5), saying("ses_2", "even alpha", 7)))
    const codex = together(
      saying("ses_1", "new beta", 9),
      saying("ses_2", "even beta", 7),
      saying("ses_3", "only beta", 1),
    )
    await publish(url, "b", codex, "codex")
    return url
  }

  test("it is listed once, told with its machines, and read whole from one", async () => {
    await using store = await open(await fleet())
    const listed = await Array.fromAsync(store.sessions.listWithOrigin())
    expect(
      listed.map(({ session, machine, alsoOn, source }) => [
        session.id,
        session.title,
        machine,
        alsoOn,
        source,
      ]),
    ).toEqual([
      ["ses_1", "new beta", "the b", ["the a"], "codex"],
      ["ses_2", "even alpha", "the a", ["the b"], "opencode"],
      ["ses_3", "only beta", "the b", [], "codex"],
    ])
    expect(await store.sessions.getWithOrigin("ses_2")).toMatchObject({ machine: "the a", alsoOn: ["the b"] })
    expect(await wordsOf(store, "ses_1")).toEqual(["new beta"])
    expect(await wordsOf(store, "ses_2")).toEqual(["even alpha"])
    expect((await store.sessions.pageWithOrigin({ limit: 1 })).items).toMatchObject([{ machine: "the b" }])
  })

  test("among equally new copies this machine's own is read", async () => {
    await using store = await open(await fleet(), "b")
    expect(await store.sessions.getWithOrigin("ses_2")).toMatchObject({ machine: "the b", alsoOn: ["the a"] })
    expect(await wordsOf(store, "ses_2")).toEqual(["even beta"])
    expect(await Array.fromAsync(store.search("even", { in: "text" }))).toMatchObject([
      { snippet: "even beta" },
    ])
    expect(await wordsOf(store, "ses_1")).toEqual(["new beta"])
  })

  test("what only copies say that are not read is not found", async () => {
    await using store = await open(await fleet())
    expect(await Array.fromAsync(store.search("old"))).toEqual([])
    const hits = await Array.fromAsync(store.search("beta"))
    expect(hits.map(({ sessionID, kind }) => `${sessionID} ${kind}`).sort()).toEqual(
      ["ses_1 text", "ses_1 title", "ses_3 text", "ses_3 title"].sort(),
    )
  })

  test("lists, hits and usage can be those of one agent, whichever machine it ran on", async () => {
    await using store = await open(await fleet())
    expect(await Array.fromAsync(store.sessions.ids({ source: "codex" }))).toEqual(["ses_1", "ses_3"])
    expect(await store.sessions.count({ source: "opencode" })).toBe(1)
    expect(await store.sessions.count({ source: ["opencode", "codex"] })).toBe(3)
    expect(await store.sessions.count({ source: "gemini-cli" })).toBe(0)
    const found = async (source: string) =>
      (await Array.fromAsync(store.search("a", { source }))).map((hit) => [
        hit.sessionID,
        hit.kind,
        hit.source,
      ])
    expect((await found("opencode")).sort()).toEqual([
      ["ses_2", "text", "opencode"],
      ["ses_2", "title", "opencode"],
    ])
    const usage = await store.usage({ source: "codex" })
    expect(usage.map(({ source, messages }) => [source, messages])).toEqual([["codex", 2]])
  })

  test("a local copy that is as new is read before the fleet's, a newer one of the fleet before it", async () => {
    const url = await fill()
    const directory = join(tempFolder(), "store")
    await using store = await openStore({ directory, roots: [postgres(url)], backgroundIndex: false })
    const local = saying("ses_9", "local", 3)
    for (const { body } of local.sessions) await store.sessions.write(body as never)
    for (const { body } of local.messages) await store.messages.write(body as never)
    await publish(url, "c", saying("ses_9", "published", 3))
    expect((await store.sessions.get("ses_9"))?.title).toBe("local")
    await server.sql("update sessiondex.session set updated = 4 where id = 'ses_9'", url)
    expect((await store.sessions.get("ses_9"))?.title).toBe("local")
    const body = JSON.stringify({
      ...local.sessions[0]?.body,
      title: "published",
      time: { created: 1, updated: 4 },
    })
    await server.sql(`update sessiondex.session set body = '${body}' where id = 'ses_9'`, url)
    expect((await store.sessions.get("ses_9"))?.title).toBe("published")
    expect(await Array.fromAsync(store.sessions.ids())).toHaveLength(4)
  })
})

describePostgres("a conversation that is gone through", (server) => {
  const MESSAGES = 90

  /** A session of many messages with two parts each, or none. */
  function long(): History {
    const id = "ses_long"
    const messages = Array.from({ length: MESSAGES }, (_, at) => {
      const messageID = `msg_${String(at).padStart(3, "0")}`
      return { folder: id, id: messageID, body: { ...message(messageID, id, at) } }
    })
    const parts = messages.flatMap(({ id: messageID }, at) =>
      (at % 7 === 0 ? [] : ["a", "b"]).map((letter) => {
        const part = {
          id: `prt_${at}${letter}`,
          sessionID: id,
          messageID,
          type: "text",
          text: `${at}${letter}`,
        }
        return { folder: messageID, id: part.id, body: part }
      }),
    )
    return { sessions: [{ folder: "p", id, body: { ...session(id, { projectID: "p" }) } }], messages, parts }
  }

  test("is whole in every direction, also where walks mix and messages are read again", async () => {
    const url = await server.database()
    const holds = long()
    await publish(url, "m", holds)
    await using store = await open(url)
    const all = holds.messages.map(({ id, body }) => ({
      info: body,
      parts: holds.parts.filter(({ folder }) => folder === id).map((part) => part.body),
    }))
    const streamed = async (direction: "asc" | "desc") =>
      await Array.fromAsync(store.messages.stream("ses_long", { direction }))
    const [up, down, listed, exported, usage] = await Promise.all([
      streamed("asc"),
      streamed("desc"),
      Array.fromAsync(store.messages.list("ses_long")),
      Array.fromAsync(store.export("ses_long")),
      store.usage(),
    ])
    expect(up).toEqual(all as never)
    expect(down).toEqual(all.toReversed() as never)
    expect(listed).toEqual(all.map(({ info }) => info).toReversed() as never)
    expect(JSON.parse(exported.join("")).messages).toEqual(all as never)
    expect(usage.reduce((sum, row) => sum + row.messages, 0)).toBe(MESSAGES)
    const ids = holds.messages.map(({ id }) => id)
    const backward = ids.toReversed()
    expect(await Array.fromAsync(store.messages.several("ses_long", backward))).toEqual(
      all.toReversed() as never,
    )
    expect(await Array.fromAsync(store.messages.several("ses_long", [...ids, ...ids]))).toEqual([
      ...all,
      ...all,
    ] as never)
  })

  test("that begins again tells what was changed meanwhile", async () => {
    const url = await server.database()
    await publish(url, "m", long())
    await using store = await open(url)
    const words = async (): Promise<unknown> => (await store.parts.get("prt_1a"))?.text
    for await (const { info } of store.messages.stream("ses_long", { direction: "asc" }))
      if (info.id === "msg_000") break
    expect(await words()).toBe("1a")
    await server.sql(
      `update sessiondex.part set body = replace(body, '"1a"', '"changed"') where id = 'prt_1a'`,
      url,
    )
    expect(await words()).toBe("changed")
    const again = await Array.fromAsync(store.messages.stream("ses_long", { direction: "asc", limit: 2 }))
    expect(again[1]?.parts[0]).toMatchObject({ text: "changed" })
    expect(await Array.fromAsync(store.parts.list("msg_001"))).toMatchObject([
      { text: "changed" },
      { text: "1b" },
    ])
  })
})
