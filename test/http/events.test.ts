import { afterEach, expect, test } from "bun:test"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { serving, stopServers, until } from "./support.ts"

afterEach(stopServers)

/** Reads server-sent events as they come. */
async function listen(
  url: string,
): Promise<{ seen: { event: string; data: unknown }[]; ended: Promise<void>; close(): Promise<void> }> {
  const abort = new AbortController()
  const response = await fetch(url, { signal: abort.signal })
  expect(response.headers.get("content-type")).toBe("text/event-stream")
  const seen: { event: string; data: unknown }[] = []
  const reading = (async () => {
    let text = ""
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split("\n\n")
      text = blocks.pop() ?? ""
      for (const block of blocks) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? []
        if (event && data) seen.push({ event, data: JSON.parse(data) })
      }
    }
  })()
  return {
    seen,
    ended: reading,
    async close() {
      abort.abort()
      await reading.catch(() => {})
    },
  }
}

test("what this server and what others change is told, in order, to everyone who listens", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  const { store, url, get } = serving(directory, { writable: true }, { watch: true })
  await until(() => store.health().watch.state === "watching")
  const listeners = [await listen(`${url}/event`), await listen(`${url}/event`)]
  for (const { seen } of listeners) await until(() => seen.length === 1)
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  for (const { seen } of listeners) await until(() => seen.length === 2)
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
  for (const { seen } of listeners) await until(() => seen.length === 3)
  await store.sessions.update("ses_1", (draft) => {
    draft.title = "mine"
  })
  for (const { seen } of listeners) await until(() => seen.length === 4)
  await get("/session/ses_1", { method: "DELETE" })
  for (const { seen, close } of listeners) {
    await until(() => seen.length >= 7)
    expect(seen).toEqual([
      { event: "hello", data: {} },
      {
        event: "change",
        data: { kind: "message", type: "written", by: "other", sessionID: "ses_1", messageID: "msg_1" },
      },
      {
        event: "change",
        data: {
          kind: "part",
          type: "written",
          by: "other",
          sessionID: "ses_1",
          messageID: "msg_1",
          partID: "prt_1",
        },
      },
      {
        event: "change",
        data: { kind: "session", type: "written", by: "store", projectID: "p", sessionID: "ses_1" },
      },
      {
        event: "change",
        data: { kind: "part", type: "removed", by: "store", messageID: "msg_1", partID: "prt_1" },
      },
      {
        event: "change",
        data: { kind: "message", type: "removed", by: "store", sessionID: "ses_1", messageID: "msg_1" },
      },
      {
        event: "change",
        data: { kind: "session", type: "removed", by: "store", projectID: "p", sessionID: "ses_1" },
      },
    ])
    await close()
  }
}, 20_000)

test("a closed store ends the streams that are open, and answers 503", async () => {
  const { url, store, get } = serving(tempFolder())
  const { seen, ended } = await listen(`${url}/event`)
  await until(() => seen.length === 1)
  await store.close()
  await ended
  const refused = await get("/session/ses_1/todo")
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ code: "CLOSED" })
})
