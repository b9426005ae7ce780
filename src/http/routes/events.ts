import type { StoreChange } from "../../index.ts"
import { type App, type RouteContext, withoutTimeout } from "../context.ts"
import { Patience } from "../patience.ts"

/** How often a sign of life is sent, in ms: more often than any server or proxy is likely to give up. */
const HEARTBEAT_MS = 5_000

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** What changes in the store, as server-sent events: `hello`, then `change`s. Who reconnects looks at everything anew. */
export function eventRoutes(app: App, { store, onError }: RouteContext): void {
  app.get("/event", (c) => {
    withoutTimeout(c.env, c.req.raw)
    const abort = new AbortController()
    const encoder = new TextEncoder()
    let changes: AsyncGenerator<StoreChange> | undefined
    let next: Patience<IteratorResult<StoreChange>> | undefined
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            if (!changes || !next) {
              changes = store.changes({ signal: abort.signal })
              // Asked for before the greeting, so that no change after it is missed.
              next = new Patience(changes.next())
              controller.enqueue(encoder.encode(event("hello", {})))
              return
            }
            if (!(await next.within(HEARTBEAT_MS))) {
              controller.enqueue(encoder.encode(": still here\n\n"))
              return
            }
            const come = await next.promise
            if (come.done) controller.close()
            else {
              next = new Patience(changes.next())
              controller.enqueue(encoder.encode(event("change", come.value)))
            }
          } catch (error) {
            if (!abort.signal.aborted) onError(error)
            controller.error(error)
          }
        },
        cancel() {
          // The question that is open is answered by this.
          abort.abort(new Error("The client went away"))
        },
      },
      { highWaterMark: 0 },
    )
    return c.body(body, 200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" })
  })
}
