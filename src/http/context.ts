import type { Hono } from "hono"
import type { Store } from "../index.ts"
import type { ListTurns, Turns } from "./turns.ts"

/** What `Bun.serve` passes beside a request: long answers ask it not to be cut off. */
export interface RequestTimeouts {
  timeout(request: Request, seconds: number): void
}

/** What routes get to work with; they know records by their ids only, whatever the app's types are. */
export interface RouteContext {
  readonly store: Store<unknown, unknown, unknown, unknown>
  readonly writable: boolean
  readonly onError: (error: unknown) => void
  /** Where what may take long, or hold much, waits for its turn. */
  readonly turns: {
    readonly sessions: ListTurns
    readonly messages: Turns
    readonly searches: Turns
    /** What looks at every file to give a few figures. */
    readonly sums: Turns
  }
}

export interface Env {
  Bindings: Partial<RequestTimeouts>
}

export type App = Hono<Env>

/** Lets a request stay silent for as long as it takes, where the server can be asked for that. */
export function withoutTimeout(server: Partial<RequestTimeouts> | undefined, request: Request): void {
  if (typeof server?.timeout === "function") server.timeout(request, 0)
}
