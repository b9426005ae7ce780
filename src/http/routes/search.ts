import type { SearchEnd, SearchHit, SearchOptions } from "../../index.ts"
import { checkAdmission } from "../admission.ts"
import type { App, RouteContext } from "../context.ts"
import { HttpProblem } from "../problem.ts"
import { Query } from "../query.ts"
import { streamList } from "../stream.ts"

type After = NonNullable<SearchOptions["after"]>

/** How a search ended, and where the next one goes on. */
interface End extends SearchEnd {
  readonly after?: string
}

function encode({ kind, sessionID, messageID, time }: SearchHit): string {
  return Buffer.from(JSON.stringify([kind, sessionID, messageID ?? "", time])).toString("base64url")
}

function decode(text: string | undefined): After | undefined {
  if (text === undefined) return undefined
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.from(text, "base64url").toString("utf8"))
  } catch {
    fields = undefined
  }
  const [kind, sessionID, messageID, time]: unknown[] = Array.isArray(fields) ? fields : []
  if (
    (kind !== "title" && kind !== "text") ||
    typeof sessionID !== "string" ||
    typeof messageID !== "string" ||
    typeof time !== "number"
  )
    throw new HttpProblem(400, "INVALID_CURSOR", "`after` is not one that a search gave")
  return { kind, sessionID, time, ...(messageID && { messageID }) }
}

/** Hits as they are found, newest first, then `{ "end": … }` which tells whether there may be more. */
export function searchRoutes(app: App, { store, onError, turns }: RouteContext): void {
  async function* hits(text: string, options: SearchOptions): AsyncGenerator<SearchHit | { end: End }> {
    const found = store.search(text, options)
    let last: SearchHit | undefined
    try {
      for (let next = await found.next(); ; next = await found.next()) {
        if (next.done) {
          yield { end: last && next.value.partial ? { ...next.value, after: encode(last) } : next.value }
          return
        }
        last = next.value
        yield last
      }
    } finally {
      await found.return({ partial: true })
    }
  }

  app.get("/search", async (c) => {
    const query = new Query(c.req.url)
    const text = query.text("q")
    if (text === undefined) throw new HttpProblem(400, "INVALID_QUERY", "q says what to look for")
    const options: SearchOptions = {
      projectID: query.ids("project"),
      sessionID: query.id("session"),
      source: query.text("source"),
      directory: query.text("directory"),
      role: query.text("role"),
      type: query.text("type"),
      tool: query.text("tool"),
      since: query.time("since"),
      until: query.time("until"),
      in: query.choice("in", ["title", "text", "all"]),
      limit: query.limit(),
      after: decode(query.text("after")),
      fresh: query.flag("fresh"),
      wait: query.choice("wait", ["true", "false"]) !== "false",
    }
    await checkAdmission(store)
    return streamList(c.req.raw, (signal) => hits(text, { ...options, signal }), {
      eager: true,
      turns: turns.searches,
      onError,
    })
  })
}
