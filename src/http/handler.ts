import { Hono } from "hono"
import { bodyLimit } from "hono/body-limit"
import { methodNotAllowed } from "hono/method-not-allowed"
import { secureHeaders } from "hono/secure-headers"
import type { Store } from "../index.ts"
import type { Env, RequestTimeouts, RouteContext } from "./context.ts"
import { Guard, type GuardOptions } from "./guard.ts"
import { HttpProblem, Paths, problemResponse, toProblem } from "./problem.ts"
import { eventRoutes } from "./routes/events.ts"
import { messageRoutes } from "./routes/messages.ts"
import { pageRoutes } from "./routes/page.ts"
import { searchRoutes } from "./routes/search.ts"
import { sessionRoutes } from "./routes/sessions.ts"
import { statusRoutes } from "./routes/status.ts"
import { ListTurns, Turns } from "./turns.ts"

/** What a handler allows, and whom. */
export interface HandlerOptions extends GuardOptions {
  /** Allow removing sessions. Default `false`: nothing can be changed. */
  readonly writable?: boolean | undefined
  /** Serve the page too. Default `true`. */
  readonly page?: boolean | undefined
  /** How long a client may take nothing of a list while others wait for theirs, in ms. Default 10,000. */
  readonly patience?: number | undefined
  /** Told of errors that are no problem of the request; the client hears nothing of their inside. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** Answers a request. The second argument is what `Bun.serve` passes; without it long silences may be cut off. */
export type Handler = (request: Request, server?: Partial<RequestTimeouts>) => Promise<Response>

/** No request has a body that matters. */
const MAX_BODY = 64 * 1024

const PATIENCE_MS = 10_000
/** So many lists of all sessions, of all messages of one, and searches are written at once. */
const [SESSION_LISTS, MESSAGE_LISTS, SEARCHES] = [8, 32, 8]

/** What the page may do: nothing but its own files and this server's answers; images also from the records themselves. */
const CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", "data:", "blob:"],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
}

/**
 * Makes a handler over a store, to be given to `Bun.serve` or mounted in an app's own server. It answers only requests for the
 * loopback's names unless `hosts` names others, and changes nothing unless `writable`.
 * @throws TypeError for options that make no sense
 */
export function createHandler<S, M, P, J>(store: Store<S, M, P, J>, options: HandlerOptions = {}): Handler {
  const { writable = false, page = true, patience = PATIENCE_MS, onError = () => {} } = options
  if (!(patience > 0)) throw new TypeError(`patience must be a number of ms, not ${patience}`)
  const guard = new Guard(options)
  const app = new Hono<Env>()
  // Routes hand records on as they are, whatever their type.
  const context: RouteContext = {
    store: store as unknown as RouteContext["store"],
    writable,
    onError,
    turns: {
      sessions: new ListTurns(SESSION_LISTS, patience),
      messages: new Turns(MESSAGE_LISTS, patience),
      searches: new Turns(SEARCHES, patience),
      sums: new Turns(1, patience),
    },
  }
  app.use(
    secureHeaders({
      contentSecurityPolicy: CONTENT_SECURITY_POLICY,
      strictTransportSecurity: false,
      xFrameOptions: "DENY",
    }),
    async (c, next) => guard.check(c.req.raw) ?? (await next()),
    async (c, next) => {
      await next()
      // Nothing is to be shown again without asking; ETags make that cheap.
      if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-cache")
    },
    bodyLimit({
      maxSize: MAX_BODY,
      onError: () => problemResponse(new HttpProblem(413, "TOO_LARGE", "The request's body is too large")),
    }),
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        problemResponse(
          new HttpProblem(405, "METHOD_NOT_ALLOWED", `${c.req.method} is not allowed here`, {
            Allow: methods.join(", "),
          }),
        ),
    }),
  )
  sessionRoutes(app, context)
  messageRoutes(app, context)
  searchRoutes(app, context)
  statusRoutes(app, context)
  eventRoutes(app, context)
  if (page) pageRoutes(app)
  app.notFound(() => problemResponse(new HttpProblem(404, "NOT_FOUND", "There is nothing here")))
  app.onError((error, c) => {
    const problem = toProblem(error, new Paths(store.health()))
    // Who went away while an answer was made ready is no error of ours.
    if (problem.status >= 500 && !c.req.raw.signal.aborted) onError(error)
    return problemResponse(problem)
  })
  return async (request, server) => app.fetch(request, server ?? {})
}
