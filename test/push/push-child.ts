/** Pushes a store: `bun push-child.ts <folder> <url> [options as JSON]`; tells what came of it, or the error's code, as JSON. */
import { writeSync } from "node:fs"
import { isStoreError, openStore } from "../../src/index.ts"

const [, , directory = "", url = "", options = "{}"] = process.argv

async function main(): Promise<void> {
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  const pushing = store.push(url, JSON.parse(options))
  try {
    let next = await pushing.next()
    while (!next.done) next = await pushing.next()
    writeSync(1, JSON.stringify(next.value))
  } catch (error) {
    if (!isStoreError(error)) throw error
    writeSync(1, JSON.stringify({ code: error.code, message: error.message }))
  }
}

void main()
