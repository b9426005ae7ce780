/** Runs one scenario in a process of its own and prints what it measured as JSON: `bun bench/child.ts <scenario> <folder>`. */
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { opencodeDatabase, openStore, type Store } from "../src/index.ts"
import { claudeCode } from "../src/root/transcript/agents/claude-code.ts"
import { transcriptRoot } from "../src/root/transcript/transcript-root.ts"
import { LONG_SESSION } from "./data/long-session.ts"

const [, , name = "", directory = ""] = process.argv

/** The most memory this process ever had, in MB; `ru_maxrss` would begin with its parent's. */
function peakMegabytes(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024
}

async function streamed(store: Store): Promise<unknown> {
  let parts = 0
  for await (const message of store.messages.stream(LONG_SESSION)) parts += message.parts.length
  return { parts, peak: peakMegabytes() }
}

const scenarios: Record<string, () => Promise<unknown>> = {
  /** The package loaded, and nothing done. */
  idle: async () => ({ peak: peakMegabytes() }),
  async index() {
    await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
    await store.index()
    return { peak: peakMegabytes() }
  },
  async "index and texts"() {
    await using store = await openStore({ directory, backgroundIndex: false })
    await store.index()
    return { peak: peakMegabytes() }
  },
  async newest() {
    await using store = await openStore({ directory, backgroundIndex: false })
    let parts = 0
    for await (const message of store.messages.stream(LONG_SESSION, { limit: 100 }))
      parts += message.parts.length
    return { parts, peak: peakMegabytes() }
  },
  async stream() {
    await using store = await openStore({ directory, backgroundIndex: false })
    return await streamed(store)
  },
  async "stream database"() {
    const nothing = join(dirname(directory), "no-store")
    const roots = [opencodeDatabase(directory)]
    await using store = await openStore({ directory: nothing, backgroundIndex: false, roots })
    return await streamed(store)
  },
  async "index transcripts"() {
    const indexPath = `${directory}-child-index`
    const roots = [transcriptRoot(claudeCode, directory)]
    await using store = await openStore({
      directory: `${directory}-none`,
      indexPath,
      backgroundIndex: false,
      roots,
    })
    await store.index()
    return { peak: peakMegabytes() }
  },
  /** How long the event loop was held while index and texts were made in the background. */
  async stalls() {
    await using store = await openStore({ directory })
    const gaps: number[] = []
    for (let last = performance.now(); store.health().backgroundIndex.state !== "done"; ) {
      await Bun.sleep(1)
      const now = performance.now()
      gaps.push(now - last - 1)
      last = now
    }
    gaps.sort((a, b) => a - b)
    return { turns: gaps.length, p999: gaps[Math.floor(gaps.length * 0.999)], longest: gaps.at(-1) }
  },
}

const scenario = scenarios[name]
if (!scenario) throw new TypeError(`No such scenario: ${name}`)
console.log(JSON.stringify(await scenario()))
