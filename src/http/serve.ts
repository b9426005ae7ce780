import type { Store } from "../index.ts"
import { garbageCollector } from "./garbage.ts"
import { isLoopback } from "./guard.ts"
import { createHandler, type HandlerOptions } from "./handler.ts"

/** Where to listen, and what a handler takes. */
export interface ServeOptions extends HandlerOptions {
  /** The address to listen at. Default `127.0.0.1`; any other than the loopback's needs a `token`. */
  readonly hostname?: string | undefined
  /** Default 4680; 0 takes any that is free. */
  readonly port?: number | undefined
}

/** A server that is running. */
export interface RunningServer {
  /** Where it answers. */
  readonly url: URL
  /** Ends it: answers in progress are cut off. Resolves when the port is free. */
  stop(): Promise<void>
}

/** Where `serve` listens unless told otherwise. */
export const DEFAULT_PORT = 4680
/** How long a client may be silent or not read on, in seconds: the longest that Bun allows. */
const IDLE_SECONDS = 255
const MAX_BODY = 64 * 1024

/**
 * Serves a store over HTTP on this machine.
 * @throws TypeError for options that make no sense, as another address than the loopback's without a token; the system's error
 * where the port is taken
 */
export function serve<S, M, P, J>(store: Store<S, M, P, J>, options: ServeOptions = {}): RunningServer {
  const { hostname = "127.0.0.1", port = DEFAULT_PORT, hosts = [] } = options
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new TypeError(`port must be a whole number from 0 to 65535, not ${port}`)
  const local = isLoopback(hostname)
  if (!local && options.token === undefined)
    throw new TypeError(`To listen at ${hostname}, which others can reach, a token is needed`)
  // An address in numbers cannot be a name that someone else's DNS made point here.
  const reachable = [...hosts, hostname, ...(local ? [] : ["*"])]
  const handler = createHandler(store, { ...options, hosts: reachable })
  const collect = garbageCollector(() => server.pendingRequests > 0)
  const server = Bun.serve({
    hostname,
    port,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: MAX_BODY,
    development: false,
    fetch(request, bun) {
      collect()
      return handler(request, bun)
    },
  })
  return { url: server.url, stop: () => server.stop(true) }
}
