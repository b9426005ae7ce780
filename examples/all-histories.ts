/** The newest sessions of every agent on this machine, and what they cost: `bun examples/all-histories.ts`. */
import { homedir } from "node:os"
import { findSources, findStore, openStore } from "sessiondex"

const home = { environment: process.env, home: homedir() }
const sources = findSources(home).filter(({ found }) => found)
await using store = await openStore({ directory: findStore(home), sources })

for (const { name, place } of sources) console.log(`${name}: ${place}`)

for await (const { session, source } of store.sessions.listWithOrigin({ limit: 20 }))
  console.log(source, session.title)

const cost = new Map<string, number>()
for (const { model, cost: dollars } of await store.usage())
  if (model) cost.set(model, (cost.get(model) ?? 0) + dollars)
for (const [model, dollars] of cost) console.log(model, dollars.toFixed(2))
