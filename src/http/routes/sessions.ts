import { isStoreError, type Key, type SessionListOptions, type SessionWithOrigin } from "../../index.ts"
import { checkAdmission } from "../admission.ts"
import type { App, RouteContext } from "../context.ts"
import { answerUnlessKnown } from "../etag.ts"
import { jsonAnswer } from "../json.ts"
import { pageLinks } from "../links.ts"
import { HttpProblem, Paths } from "../problem.ts"
import { Query } from "../query.ts"
import { withoutSecret } from "../secrets.ts"
import { listFormat, streamList } from "../stream.ts"

/** The title filter: what stands there as it stands, as the agent's own server takes it, unless quotes say otherwise. */
function titleQuery(search: string | undefined): string | undefined {
  return search === undefined || search.includes('"') ? search : `"${search}"`
}

function readFilter(query: Query): SessionListOptions {
  const roots = query.flag("roots") || query.text("parent") === "none"
  return {
    projectID: query.ids("project"),
    directory: query.text("directory"),
    source: query.text("source"),
    parentID: roots ? null : query.id("parent"),
    search: titleQuery(query.text("search")),
    updatedSince: query.time("updatedSince") ?? query.time("start"),
    archived: query.choice("archived", ["include", "exclude", "only"]),
    order: query.choice("order", ["updated", "created"]),
    direction: query.choice("direction", ["asc", "desc"]),
  }
}

/** A session's body, or `{ session, source, origin }` where it is asked for with what stands beside it. */
function shown({ session, ...origin }: SessionWithOrigin<unknown>, withOrigin: boolean): unknown {
  const body = withoutSecret(session)
  return withOrigin ? { session: body, ...origin } : body
}

/** Sessions: all, pages of them, one, its children; removing one where that is allowed. */
export function sessionRoutes(app: App, { store, writable, onError, turns }: RouteContext): void {
  /** A stream of everything, or a page with its links where a limit is named. */
  const list = async (request: Request, query: Query, filter: SessionListOptions): Promise<Response> => {
    const withOrigin = query.flag("origin")
    const limit = query.limit()
    const cursor = query.text("cursor")
    if (cursor !== undefined && (limit === undefined || filter.direction === "asc"))
      throw new HttpProblem(400, "INVALID_QUERY", "A cursor goes with a limit, and with the newest first")
    if (limit === undefined || filter.direction === "asc") {
      await checkAdmission(store)
      return streamList(request, (signal) => all({ ...filter, limit }, signal, withOrigin), {
        turns: turns.sessions,
        onError,
      })
    }
    const options = { ...filter, limit, cursor, signal: request.signal }
    // A page of several roots has no version, and to look for its sessions one by one would ask each root for each of them.
    if (store.health().alsoReading.length > 0) {
      const page = await store.sessions.pageWithOrigin(options)
      const headers = { Link: pageLinks(request.url, page) }
      return streamList(request, () => written(page.items, withOrigin), { headers, onError })
    }
    const page = await store.sessions.pageKeys(options)
    const links = pageLinks(request.url, page)
    const version = await store.version(page.items)
    const form = `${listFormat(request)}${withOrigin ? "+origin" : ""}`
    const tag = version && [version, form, Bun.hash(links ?? "").toString(36)].join("-")
    return answerUnlessKnown(request, tag, (ETag) =>
      streamList(request, () => bodies(page.items, withOrigin), { headers: { Link: links, ETag }, onError }),
    )
  }

  async function* all(
    options: SessionListOptions,
    signal: AbortSignal,
    withOrigin: boolean,
  ): AsyncGenerator<unknown> {
    const sessions = store.sessions.listWithOrigin({ ...options, signal })
    try {
      let next = await turns.sessions.begin(signal, () => sessions.next())
      for (; !next.done; next = await sessions.next()) yield shown(next.value, withOrigin)
    } finally {
      await sessions.return(undefined)
    }
  }

  async function* written(
    items: readonly SessionWithOrigin<unknown>[],
    withOrigin: boolean,
  ): AsyncGenerator<unknown> {
    for (const item of items) yield shown(item, withOrigin)
  }

  async function* bodies(keys: readonly Key[], withOrigin: boolean): AsyncGenerator<unknown> {
    for (const key of keys) {
      try {
        const found = await store.sessions.getWithOrigin(key)
        if (found !== undefined) yield shown(found, withOrigin)
      } catch (error) {
        if (!isStoreError(error) || error.code === "EXHAUSTED") throw error
        // It became unreadable since the page was cut; the others are read on.
        onError(error)
      }
    }
  }

  app.get("/session", (c) => {
    const query = new Query(c.req.url)
    return list(c.req.raw, query, readFilter(query))
  })

  app.get("/session/:id", async (c) => {
    const id = c.req.param("id")
    const withOrigin = new Query(c.req.url).flag("origin")
    const key = await store.sessions.keyOf(id)
    const version = key && (await store.version([key]))
    const tag = version && withOrigin ? `${version}-origin` : version
    return answerUnlessKnown(c.req.raw, tag, async (ETag) => {
      const found = key && (await store.sessions.getWithOrigin(key))
      if (found === undefined) throw new HttpProblem(404, "NOT_FOUND", `There is no session ${id}`)
      return jsonAnswer(shown(found, withOrigin), ETag)
    })
  })

  app.get("/session/:id/children", async (c) => {
    const id = c.req.param("id")
    const children = { ...readFilter(new Query(c.req.url)), parentID: id }
    if ((await store.sessions.get(id)) === undefined && (await store.sessions.count(children)) === 0)
      throw new HttpProblem(404, "NOT_FOUND", `There is no session ${id}`)
    return list(c.req.raw, new Query(c.req.url), children)
  })

  if (!writable) return
  app.delete("/session/:id", async (c) => {
    const id = c.req.param("id")
    const removal = await store.sessions.remove(id)
    if (removal.sessions + removal.messages + removal.sideFiles + removal.left.length === 0)
      throw new HttpProblem(404, "NOT_FOUND", `There is no session ${id}`)
    const paths = new Paths(store.health())
    const left = removal.left.map(({ path, code, message }) => ({
      path: paths.strip(path),
      code,
      message: paths.strip(message),
    }))
    return c.json({ ...removal, left })
  })
}
