/** An agent that streams its answer into a store: `bun examples/streaming-agent.ts <folder>`. */
import { createId, openStore } from "sessiondex"

const directory = process.argv[2]
if (!directory) throw new Error("Usage: bun examples/streaming-agent.ts <folder>")

await using store = await openStore({ directory })

const now = Date.now()
const sessionID = createId("session")
await store.sessions.write({
  id: sessionID,
  projectID: "example",
  directory: process.cwd(),
  title: "A streamed answer",
  version: "1.0.0",
  time: { created: now, updated: now },
})

const messageID = createId("message")
await store.messages.write({
  id: messageID,
  sessionID,
  role: "assistant",
  time: { created: now },
  providerID: "example",
  modelID: "example-1",
  mode: "build",
  path: { cwd: process.cwd(), root: process.cwd() },
  cost: 0,
  tokens: { input: 0, output: 4, reasoning: 0, cache: { read: 0, write: 0 } },
})

// The file is written at most once in 100 ms, however fast tokens arrive.
const part = { id: createId("part"), messageID, sessionID, type: "text" as const, text: "" }
for (const token of ["Files ", "are ", "the ", "truth."]) {
  part.text += token
  await store.parts.write(part, { coalesce: 100 })
}
await store.flush()

for await (const { info, parts } of store.messages.stream(sessionID))
  for (const { type, text } of parts) console.log(info.role, type, text)
