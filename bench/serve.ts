/** `bun bench/serve.ts [--sessions 100000] [--json]`: a listing over HTTP, by a server in a process of its own. */
import * as fs from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: { sessions: { type: "string", default: "100000" }, json: { type: "boolean", default: false } },
})
const sessions = Number(values.sessions)
const PROJECTS = 20
const MB = 1024 * 1024

function makeSessions(directory: string): void {
  for (let p = 0; p < PROJECTS; p++)
    fs.mkdirSync(join(directory, "session", `project${p}`), { recursive: true })
  for (let s = 0; s < sessions; s++) {
    const id = `ses_${String(s).padStart(12, "0")}AAAAAAAAAAAAAA`
    const projectID = `project${s % PROJECTS}`
    const created = 1_750_000_000_000 + s * 60_000
    const body = {
      id,
      slug: "quiet-river",
      version: "1.1.65",
      projectID,
      directory: `/home/dev/${projectID}`,
      title: `Session ${s}: what was asked for first, as far as it fits into a title`,
      time: { created, updated: created + (s % 977) * 1_000 },
      summary: { additions: s % 90, deletions: s % 40, files: s % 7 },
    }
    fs.writeFileSync(join(directory, "session", projectID, `${id}.json`), JSON.stringify(body, null, 2))
  }
}

/** What a process holds in memory now, and at most since it was last set back, in bytes (Linux). */
function memory(pid: number): { now: number; peak: number } {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8")
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024
  return { now: field("VmRSS"), peak: field("VmHWM") }
}

function setBackPeak(pid: number): void {
  fs.writeFileSync(`/proc/${pid}/clear_refs`, "5")
}

interface Listing {
  firstByte: number
  firstRecord: number
  total: number
  bytes: number
}

async function list(url: string): Promise<Listing> {
  const begun = performance.now()
  const since = (): number => performance.now() - begun
  const response = await fetch(url)
  const listing: Listing = { firstByte: 0, firstRecord: 0, total: 0, bytes: 0 }
  for await (const chunk of response.body ?? []) {
    listing.firstByte ||= since()
    listing.bytes += chunk.byteLength
    if (listing.bytes > 1) listing.firstRecord ||= since()
  }
  listing.total = since()
  return listing
}

/** Takes 1 kB of a listing, then hangs up. */
function hangUpAfter1kB(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () =>
      socket.write("GET /session HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    )
    let got = 0
    socket.on("error", reject)
    socket.on("data", (data) => {
      got += data.length
      if (got < 1024) return
      socket.destroy()
      resolve()
    })
  })
}

const directory = fs.mkdtempSync(join(tmpdir(), "sessiondex-bench-"))
try {
  makeSessions(directory)
  await Bun.sleep(200)
  let readsTold = (_: number): void => {}
  const server = Bun.spawn(["bun", join(import.meta.dir, "serve-child.ts"), directory], {
    stdout: "pipe",
    stderr: "inherit",
    ipc: (message) => readsTold(Number(message)),
  })
  const reads = (): Promise<number> =>
    new Promise((resolve) => {
      readsTold = resolve
      server.send("reads")
    })
  try {
    const first = await server.stdout.getReader().read()
    const port = Number(new TextDecoder().decode(first.value))
    const url = `http://localhost:${port}/session`
    // Idle is after a first small request: code is compiled, the index is open.
    await (await fetch(`${url}?limit=10`)).text()
    await Bun.sleep(3_000)
    const idle = memory(server.pid).now
    setBackPeak(server.pid)
    const cold = await list(url)
    const { peak } = memory(server.pid)
    const warm = await list(url)
    const after = memory(server.pid).peak
    const before = await reads()
    await hangUpAfter1kB(port)
    await Bun.sleep(1_000)
    const soon = await reads()
    await Bun.sleep(1_000)
    const later = await reads()
    const ms = (value: number): number => Number(value.toFixed(1))
    const result = {
      sessions,
      "listing MB": Number((cold.bytes / MB).toFixed(1)),
      "first byte ms": ms(cold.firstByte),
      "first record ms": ms(cold.firstRecord),
      "listing ms": ms(cold.total),
      "first byte / listing": Number((cold.firstByte / cold.total).toFixed(5)),
      "second listing ms": ms(warm.total),
      "idle MB": ms(idle / MB),
      "peak above idle MB": ms((peak - idle) / MB),
      "peak above idle after two MB": ms((after - idle) / MB),
      "files read for a client that left": soon - before,
      "files read after that": later - soon,
    }
    console.log(values.json ? JSON.stringify(result) : result)
  } finally {
    server.kill()
    await server.exited
  }
} finally {
  fs.rmSync(directory, { recursive: true, force: true })
}
