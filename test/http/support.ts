import { connect } from "node:net"
import type { FileSystem } from "../../src/file/system.ts"
import { fileSystem } from "../../src/file/system.ts"
import { type RunningServer, type ServeOptions, serve } from "../../src/http/index.ts"
import { resolveOptions, type StoreOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"

const open: { store: Store; server: RunningServer }[] = []

/** Ends the servers that a test began; every file that begins some calls it after each test. */
export async function stopServers(): Promise<void> {
  for (const { store, server } of open.splice(0)) {
    await server.stop()
    await store.close()
  }
}

export interface Served {
  readonly store: Store
  readonly url: string
  readonly port: number
  /** Files read so far. */
  reads(): number
  get(path: string, init?: RequestInit): Promise<Response>
  json(path: string, init?: RequestInit): Promise<unknown>
}

/** A real server over a store, on a port of its own. */
export function serving(
  directory: string,
  options: ServeOptions = {},
  storeOptions: Partial<StoreOptions> = {},
  readOpen: FileSystem["readOpen"] = fileSystem.readOpen,
): Served {
  let reads = 0
  const fs: FileSystem = {
    ...fileSystem,
    readOpen(descriptor, maxBytes) {
      reads++
      return readOpen(descriptor, maxBytes)
    },
  }
  const resolved = resolveOptions({
    directory,
    backgroundIndex: false,
    durability: "relaxed",
    ...storeOptions,
  })
  const store = new Store(resolved, { fs })
  const server = serve(store, { port: 0, ...options })
  open.push({ store, server })
  const port = Number(server.url.port)
  const url = `http://127.0.0.1:${port}`
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(url + path, init)
  return {
    store,
    url,
    port,
    reads: () => reads,
    get,
    json: async (path, init) => (await get(path, init)).json(),
  }
}

/** What a server answers to a request written by hand, which may be one that no client would send. */
export function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(request.replaceAll("\n", "\r\n")))
    socket.on("data", (data) => {
      answer += data
    })
    socket.on("close", () => resolve(answer))
    // A server that breaks off resets the connection; one that is not there is no answer at all.
    socket.on("error", (error) => (answer ? resolve(answer) : reject(error)))
  })
}

/** Waits until something holds; a test that waits in vain fails by its time-out. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(5)
}
