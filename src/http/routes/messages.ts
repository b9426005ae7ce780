import { isStoreError, type Key, type MessageWithParts } from "../../index.ts"
import { checkAdmission } from "../admission.ts"
import type { App, RouteContext } from "../context.ts"
import { answerUnlessKnown } from "../etag.ts"
import { jsonAnswer } from "../json.ts"
import { pageLinks } from "../links.ts"
import { HttpProblem } from "../problem.ts"
import { Query } from "../query.ts"
import { listFormat, streamList } from "../stream.ts"

type Entry = MessageWithParts<unknown, unknown>

/** A session's messages with their parts, oldest first; one message; its parts; one part; the session's side files. */
export function messageRoutes(app: App, { store, onError, turns }: RouteContext): void {
  async function read(key: Key): Promise<Entry | undefined> {
    const info = await store.messages.get(key)
    return info === undefined
      ? undefined
      : { info, parts: await Array.fromAsync(store.parts.list(key[2] ?? "")) }
  }

  async function* readAll(keys: readonly Key[]): AsyncGenerator<Entry> {
    for (const key of keys) {
      try {
        const entry = await read(key)
        if (entry) yield entry
      } catch (error) {
        if (!isStoreError(error) || error.code === "EXHAUSTED") throw error
        // It became unreadable since the page was cut; the others are read on.
        onError(error)
      }
    }
  }

  /** The stamps of messages and their parts together. */
  async function versionOf(keys: readonly Key[]): Promise<string | undefined> {
    const all: Key[] = []
    for (const key of keys) {
      all.push(key)
      for await (const part of store.parts.ids(key[2] ?? "")) all.push(["part", key[2] ?? "", part])
    }
    return store.version(all)
  }

  app.get("/session/:id/message", async (c) => {
    const request = c.req.raw
    const id = c.req.param("id")
    const query = new Query(request.url)
    const [cursor, from] = [query.text("cursor"), query.id("from")]
    const limit = query.limit() ?? (cursor === undefined && from === undefined ? undefined : 50)
    if (cursor !== undefined && from !== undefined)
      throw new HttpProblem(400, "INVALID_QUERY", "A page begins at a cursor or at a message, not at both")
    if ((await store.messages.count(id)) === 0 && (await store.sessions.get(id)) === undefined)
      throw new HttpProblem(404, "NOT_FOUND", `There is no session ${id}`)
    if (limit === undefined) {
      await checkAdmission(store)
      return streamList(request, (signal) => store.messages.stream(id, { direction: "asc", signal }), {
        turns: turns.messages,
        onError,
      })
    }
    const page = await store.messages.pageKeys(id, { limit, cursor, from, signal: request.signal })
    const keys = page.items.toReversed()
    const links = pageLinks(request.url, page)
    // What is read from several roots has no version, and to look for each message would ask each root for it.
    if (store.health().alsoReading.length > 0) {
      const ids = keys.map(([, , message = ""]) => message)
      return streamList(request, (signal) => store.messages.several(id, ids, { signal }), {
        headers: { Link: links },
        onError,
      })
    }
    const version = await versionOf(keys)
    const tag = version && [version, listFormat(request), Bun.hash(links ?? "").toString(36)].join("-")
    return answerUnlessKnown(request, tag, (ETag) =>
      streamList(request, () => readAll(keys), { headers: { Link: links, ETag }, onError }),
    )
  })

  app.get("/session/:id/message/:message", async (c) => {
    const key = ["message", c.req.param("id"), c.req.param("message")]
    return answerUnlessKnown(c.req.raw, await versionOf([key]), async (ETag) => {
      const entry = await read(key)
      if (!entry)
        throw new HttpProblem(404, "NOT_FOUND", `There is no message ${key[2]} in session ${key[1]}`)
      return jsonAnswer(entry, ETag)
    })
  })

  app.get("/session/:id/message/:message/part", async (c) => {
    const { id, message } = c.req.param()
    const key = ["message", id, message]
    if ((await store.messages.get(key)) === undefined)
      throw new HttpProblem(404, "NOT_FOUND", `There is no message ${message} in session ${id}`)
    return streamList(c.req.raw, (signal) => store.parts.list(message, { signal }), {
      turns: turns.messages,
      onError,
    })
  })

  app.get("/session/:id/message/:message/part/:part", async (c) => {
    const { id, message, part } = c.req.param()
    const key = ["part", message, part]
    return answerUnlessKnown(c.req.raw, await store.version([key]), async (ETag) => {
      const body = (await store.messages.get(["message", id, message])) && (await store.parts.get(key))
      if (body === undefined)
        throw new HttpProblem(
          404,
          "NOT_FOUND",
          `There is no part ${part} in message ${message} of session ${id}`,
        )
      return jsonAnswer(body, ETag)
    })
  })

  for (const [path, kind] of [
    ["todo", "todo"],
    ["diff", "session_diff"],
  ] as const)
    app.get(`/session/:id/${path}`, async (c) => {
      const key = [kind, c.req.param("id")]
      return answerUnlessKnown(c.req.raw, await store.version([key]), async (ETag) => {
        try {
          return jsonAnswer(await store.read(key), ETag)
        } catch (error) {
          if (isStoreError(error, "NOT_FOUND")) return jsonAnswer([], ETag)
          throw error
        }
      })
    })
}
