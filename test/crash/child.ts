/** Runs a scenario in several folders, in each to its death at a step: `bun child.ts <scenario> <mortals>`; tells of every change. */
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { dieInEach } from "./dying.ts"
import { scenarios } from "./scenarios.ts"

const [, , name, mortals = "[]"] = process.argv
const scenario = scenarios.find((candidate) => candidate.name === name)
if (!scenario) throw new Error(`No such scenario: ${name}`)
const { run } = scenario

void dieInEach(JSON.parse(mortals), async (directory, fs, say) => {
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  await run(store, async (key, value, work) => {
    say({ begun: key, value })
    const result = await work()
    say({ done: key, value })
    return result
  })
  await store.close()
})
