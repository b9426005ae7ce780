/** What an app does that lists a page and ends, and nothing of the bench: `bun bench/start-child.ts <folder>`. */
import { openStore } from "../src/index.ts"

const [, , directory = ""] = process.argv
await using store = await openStore({ directory })
const { items } = await store.sessions.page({ limit: 50 })
if (items.length !== 50) throw new Error(`A page of ${items.length} instead of 50`)
