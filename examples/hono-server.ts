/** A Hono server with the history's page below /history/: `bun examples/hono-server.ts <folder> [port]`. */
import { Hono } from "hono"
import { openStore } from "sessiondex"
import { createHandler } from "sessiondex/http"

const [directory, port = "3000"] = process.argv.slice(2)
if (!directory) throw new Error("Usage: bun examples/hono-server.ts <folder> [port]")

const store = await openStore({ directory, watch: true })
const app = new Hono()
app.get("/", (c) => c.redirect("/history/"))
app.mount("/history", createHandler(store))

// Events are silent for long, so the server must not cut them off.
const server = Bun.serve({ hostname: "127.0.0.1", port: Number(port), fetch: app.fetch, idleTimeout: 255 })
console.log(`${server.url}history/`)

process.once("SIGINT", async () => {
  await server.stop(true)
  await store.close()
})
