/** A server of its own for `bench/serve.ts`: tells its address, then on request how many files it read. */

import { fileSystem } from "../src/file/system.ts"
import { serve } from "../src/http/index.ts"
import { resolveOptions } from "../src/options.ts"
import { Store } from "../src/store.ts"

const [directory = ""] = process.argv.slice(2)
let reads = 0
const fs = {
  ...fileSystem,
  readOpen(descriptor: number, maxBytes: number) {
    reads++
    return fileSystem.readOpen(descriptor, maxBytes)
  },
}
const store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
await store.index()
const server = serve(store, { port: 0 })
console.log(server.url.port)
process.on("message", () => process.send?.(reads))
