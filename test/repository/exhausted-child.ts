/** Asks a store while the process has no descriptors left, and once they are there again; prints what came of it as JSON. */
import { closeSync, openSync } from "node:fs"
import { createHandler } from "../../src/http/index.ts"
import { openStore } from "../../src/index.ts"

const [, , directory = "", when] = process.argv
const store = await openStore({ directory, backgroundIndex: false })
const handler = createHandler(store, { page: false })

async function outcome(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return await ask()
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : String(error)
  }
}

async function status(path: string): Promise<number> {
  const response = await handler(new Request(`http://localhost${path}`))
  await response.text()
  return response.status
}

const asks: Record<string, () => Promise<unknown>> = {
  get: async () => (await store.sessions.get("ses_1")) && "found",
  update: async () => (await store.sessions.update("ses_1", () => {})) && "found",
  list: async () => (await Array.fromAsync(store.sessions.list())).length,
  count: async () => store.sessions.count(),
  parts: async () => (await Array.fromAsync(store.parts.list("msg_1"))).length,
  export: async () => (await Array.fromAsync(store.export("ses_1"))).length > 0,
  search: async () => (await Array.fromAsync(store.search("needle"))).length,
  usage: async () => (await store.usage()).length,
  orphans: async () => (await Array.fromAsync(store.orphans())).length,
  sessions: () => status("/session"),
  page: () => status("/session?limit=2"),
  session: () => status("/session/ses_1"),
  messages: () => status("/session/ses_1/message"),
}

async function all(): Promise<Record<string, unknown>> {
  const outcomes: Record<string, unknown> = {}
  await Promise.all(
    Object.entries(asks).map(async ([name, ask]) => {
      outcomes[name] = await outcome(ask)
    }),
  )
  return outcomes
}

if (when === "warm") await all()
const held: number[] = []
try {
  for (;;) held.push(openSync("/dev/null", "r"))
} catch {
  // Now there are none left.
}
const without = await all()
// They come back while the next questions wait for them.
setTimeout(() => {
  for (const descriptor of held) closeSync(descriptor)
}, 30)
const meanwhile = await all()
await store.close()
console.log(JSON.stringify({ without, meanwhile }))
