import { isStoreError } from "../../index.ts"
import { checkAdmission } from "../admission.ts"
import { type App, type RouteContext, withoutTimeout } from "../context.ts"
import { Paths } from "../problem.ts"
import { Query } from "../query.ts"
import { streamList } from "../stream.ts"

/** Projects, what the history took, where the bytes are, and how the store is doing. */
export function statusRoutes(app: App, { store, writable, onError, turns }: RouteContext): void {
  async function* projects(signal: AbortSignal): AsyncGenerator<unknown> {
    for await (const id of store.projects.ids({ signal })) {
      let body: unknown
      try {
        body = await store.projects.get(id)
      } catch (error) {
        if (!isStoreError(error) || error.code === "EXHAUSTED") throw error
        // Its file cannot be read; its sessions can.
        onError(error)
      }
      yield body ?? { id }
    }
  }

  async function* groups(source: string | undefined, signal: AbortSignal): AsyncGenerator<unknown> {
    yield* await sum(signal, () => Array.fromAsync(store.projects.groups({ source, signal })))
  }

  /** One after another, since each looks at all files of the store. */
  async function sum<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = await turns.sums.take(signal, () => {})
    try {
      return await work()
    } finally {
      turn.end()
    }
  }

  app.get("/project", async (c) => {
    const query = new Query(c.req.url)
    const source = query.text("source")
    await checkAdmission(store)
    if (query.flag("groups")) return streamList(c.req.raw, (signal) => groups(source, signal), { onError })
    return streamList(c.req.raw, projects, { onError })
  })

  app.get("/usage", async (c) => {
    const query = new Query(c.req.url)
    const options = {
      projectID: query.ids("project"),
      source: query.text("source"),
      directory: query.text("directory"),
      since: query.time("since"),
      until: query.time("until"),
      copies: query.choice("copies", ["once", "count"]),
    }
    withoutTimeout(c.env, c.req.raw)
    await checkAdmission(store)
    return streamList(
      c.req.raw,
      async function* (signal) {
        yield* await sum(signal, () => store.usage({ ...options, signal }))
      },
      { onError },
    )
  })

  app.get("/stats", async (c) => {
    withoutTimeout(c.env, c.req.raw)
    const { signal } = c.req.raw
    return c.json(await sum(signal, () => store.stats({ signal })))
  })

  async function* sources(signal: AbortSignal): AsyncGenerator<unknown> {
    const paths = new Paths(store.health())
    for (const source of await sum(signal, () => Array.fromAsync(store.sources({ signal })))) {
      const problems = source.problems.map(({ path, code, message }) => ({
        path: paths.strip(path),
        code,
        message: paths.strip(message),
      }))
      yield { ...source, problems }
    }
  }

  app.get("/source", async (c) => {
    withoutTimeout(c.env, c.req.raw)
    await checkAdmission(store)
    return streamList(c.req.raw, sources, { onError })
  })

  app.get("/health", (c) => c.json({ ...store.health(), writable, sources: store.places() }))
}
