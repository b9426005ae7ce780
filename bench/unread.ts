/** `bun bench/unread.ts [--sessions 40000] [--clients 300] [--json]`: many clients that ask for all sessions and read nothing. */
import * as fs from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "40000" },
    clients: { type: "string", default: "300" },
    json: { type: "boolean", default: false },
  },
})
const [sessions, clients] = [Number(values.sessions), Number(values.clients)]
const PROJECTS = 20
const MB = 1024 * 1024
/** How long pages are asked for while the others wait, in ms. */
const WATCHED_MS = 20_000

function makeSessions(directory: string): void {
  for (let s = 0; s < sessions; s++) {
    const id = `ses_${String(s).padStart(12, "0")}AAAAAAAAAAAAAA`
    const projectID = `project${s % PROJECTS}`
    const folder = join(directory, "session", projectID)
    if (s < PROJECTS) fs.mkdirSync(folder, { recursive: true })
    const time = { created: 1_750_000_000_000 + s * 60_000, updated: 1_750_000_000_000 + s * 60_000 }
    const title = `Session ${s}: what was asked for first, as far as it fits into a title`
    const body = { id, version: "1.1.65", projectID, directory: `/home/dev/${projectID}`, title, time }
    fs.writeFileSync(join(folder, `${id}.json`), JSON.stringify(body, null, 2))
  }
}

/** What a process holds in memory now, and at most so far, in bytes (Linux). */
function memory(pid: number): { now: number; peak: number } {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8")
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024
  return { now: field("VmRSS"), peak: field("VmHWM") }
}

/** A client that asks for everything and reads nothing. */
function unread(port: number): Socket {
  const socket = connect(port, "127.0.0.1", () => {
    socket.pause()
    socket.write("GET /session HTTP/1.1\r\nHost: localhost\r\n\r\n")
  })
  socket.on("error", () => {})
  return socket
}

async function pageTime(url: string): Promise<number> {
  const begun = performance.now()
  await (await fetch(`${url}?limit=50`)).text()
  return performance.now() - begun
}

const directory = fs.mkdtempSync(join(tmpdir(), "sessiondex-bench-"))
try {
  makeSessions(directory)
  await Bun.sleep(200)
  const server = Bun.spawn(["bun", join(import.meta.dir, "serve-child.ts"), directory], {
    stdout: "pipe",
    stderr: "inherit",
    ipc: () => {},
  })
  try {
    const first = await server.stdout.getReader().read()
    const port = Number(new TextDecoder().decode(first.value))
    const url = `http://localhost:${port}/session`
    for (let i = 0; i < 3; i++) await pageTime(url)
    const alone: number[] = []
    for (let i = 0; i < 10; i++) alone.push(await pageTime(url))
    await Bun.sleep(3_000)
    const idle = memory(server.pid).now
    fs.writeFileSync(`/proc/${server.pid}/clear_refs`, "5")
    const sockets = Array.from({ length: clients }, () => unread(port))
    await Bun.sleep(50)
    const times: number[] = []
    for (const begun = performance.now(); performance.now() - begun < WATCHED_MS; ) {
      times.push(await pageTime(url))
      await Bun.sleep(50)
    }
    const { peak, now } = memory(server.pid)
    for (const socket of sockets) socket.destroy()
    await Bun.sleep(1_000)
    const afterwards = await pageTime(url)
    const ms = (value: number): number => Math.round(value)
    const result = {
      sessions,
      clients,
      "a page alone ms": ms(alone.toSorted((a, b) => a - b)[5] ?? 0),
      "idle MB": ms(idle / MB),
      "peak above idle MB": ms((peak - idle) / MB),
      "afterwards above idle MB": ms((now - idle) / MB),
      "pages meanwhile": times.length,
      "a page meanwhile ms": ms(times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0),
      "the slowest page ms": ms(Math.max(...times)),
      "a page when they left ms": ms(afterwards),
    }
    console.log(values.json ? JSON.stringify(result) : result)
  } finally {
    server.kill()
    await server.exited
  }
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
