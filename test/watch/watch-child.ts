/** Watches a store in a process of its own: tells its state, every change, and on a line of input what it knows. */
import { openStore } from "../../src/index.ts"

const [directory = ""] = process.argv.slice(2)
const store = await openStore({ directory, watch: true })
const tell = (line: unknown): void => console.log(JSON.stringify(line))
const changes = store.changes()
let next = changes.next()
while (store.health().watch.state === "starting" || store.health().backgroundIndex.state !== "done")
  await Bun.sleep(5)
tell({ state: store.health().watch.state })
process.stdin.on("end", () => void store.close())
process.stdin.resume()
for (let change = await next; !change.done; change = await next) {
  tell(change.value)
  next = changes.next()
}
