import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { openStore } from "../../src/index.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"
import { raw, serving, stopServers, until } from "./support.ts"

afterEach(stopServers)

const SESSIONS = 3_000
const MESSAGES = 6_000
const many = mkdtempSync(join(tmpdir(), "sessiondex-test-"))

beforeAll(async () => {
  const title = "x".repeat(4_000)
  for (let i = 0; i < SESSIONS; i++)
    put(
      many,
      `session/p${i % 3}/ses_${i}.json`,
      session(`ses_${i}`, { title, time: { created: i, updated: i } }),
    )
  for (let i = 0; i < MESSAGES; i++) put(many, `message/ses_1/msg_${i}.json`, message(`msg_${i}`, "ses_1", i))
  await untilProven()
  await using store = await openStore({ directory: many, backgroundIndex: false })
  await store.index()
}, 60_000)

afterAll(() => rmSync(many, { recursive: true, force: true }))

test("a list is read as the client takes it, and no further when it goes away", async () => {
  const { port, reads, get } = serving(many)
  const before = reads()
  expect(await (await get("/session")).json()).toBeArrayOfSize(SESSIONS)
  expect(reads() - before).toBe(SESSIONS)
  const socket = connect(port, "127.0.0.1")
  let got = 0
  socket.on("data", (data) => {
    got += data.length
    // From here on it reads nothing.
    if (got >= 1_000) socket.pause()
  })
  socket.write("GET /session HTTP/1.1\r\nHost: localhost\r\n\r\n")
  await until(() => got >= 1_000)
  let stalled = reads()
  await until(async () => {
    const last = stalled
    await Bun.sleep(100)
    stalled = reads()
    return last === stalled
  })
  // What the system's buffers hold was read, and not the rest of 12 MB.
  expect(stalled - before - SESSIONS).toBeLessThan(SESSIONS * 0.9)
  socket.destroy()
  await Bun.sleep(200)
  expect(reads()).toBe(stalled)
}, 60_000)

test("a client that closes after 1 kB stops the reading", async () => {
  const { port, reads } = serving(many)
  const before = reads()
  const socket = connect(port, "127.0.0.1", () =>
    socket.write("GET /session HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  )
  await new Promise<void>((resolve) => {
    let got = 0
    socket.on("data", (data) => {
      got += data.length
      if (got < 1_000) return
      socket.destroy()
      resolve()
    })
  })
  await Bun.sleep(300)
  const read = reads() - before
  expect(read).toBeGreaterThan(0)
  expect(read).toBeLessThan(SESSIONS / 4)
  await Bun.sleep(300)
  expect(reads() - before).toBe(read)
}, 60_000)

test("work that has sent nothing yet ends too when its client goes away", async () => {
  const { port, reads } = serving(many)
  const socket = connect(port, "127.0.0.1", () =>
    socket.write("GET /usage HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  )
  await until(() => reads() > 0)
  socket.destroy()
  let read = -1
  await until(async () => {
    const last = read
    await Bun.sleep(100)
    read = reads()
    return last === read
  })
  expect(read).toBeLessThan(MESSAGES)
}, 30_000)

/** Clients that ask for a list and read nothing of it until they are told to; how each answer ends. */
function unread(port: number, path: string, clients: number) {
  const sockets = Array.from({ length: clients }, () => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.pause()
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    })
    // A list that is cut off resets the connection.
    socket.on("error", () => {})
    return socket
  })
  return {
    leave: () => sockets.map((socket) => socket.destroy()),
    readOn: () =>
      Promise.all(
        sockets.map(async (socket) => {
          let answer = ""
          // Its end tells whether it was whole.
          socket.on("data", (data) => {
            answer = `${answer}${data}`.slice(-10)
          })
          const closed = new Promise((resolve) => socket.on("close", resolve))
          socket.resume()
          await closed
          return answer
        }),
      ),
  }
}

test("lists that nobody reads are written a few at a time, and a page is answered meanwhile", async () => {
  const { port, reads, get } = serving(many)
  const before = reads()
  const { leave } = unread(port, "/session", 60)
  await until(() => reads() - before > SESSIONS / 4)
  expect(await (await get("/session?limit=5")).json()).toBeArrayOfSize(5)
  let read = -1
  await until(async () => {
    const last = read
    await Bun.sleep(200)
    read = reads()
    return last === read
  })
  // Eight at once, and none of them to its end.
  expect(read - before).toBeLessThan(8 * SESSIONS)
  expect(await (await get("/session?limit=5")).json()).toBeArrayOfSize(5)
  leave()
  // Whoever waited is gone too, and the next one's turn comes.
  expect(await (await get("/session")).json()).toBeArrayOfSize(SESSIONS)
}, 60_000)

test("who takes nothing of a list loses its turn to those who wait, and only to them", async () => {
  const { port, get } = serving(many, { patience: 300 })
  const few = unread(port, "/session", 2)
  await Bun.sleep(600)
  // Nobody waited, so nobody lost anything.
  for (const answer of await few.readOn()) expect(answer).toEndWith("0\r\n\r\n")
  const stalled = unread(port, "/session", 8)
  await Bun.sleep(200)
  expect(await (await get("/session")).json()).toBeArrayOfSize(SESSIONS)
  const cut = (await stalled.readOn()).filter((answer) => !answer.endsWith("0\r\n\r\n"))
  expect(cut.length).toBeGreaterThan(0)
  expect(cut.length).toBeLessThan(8)
}, 60_000)

test("sums of all files are made one after another, searches a few at a time, and one that is given up makes room", async () => {
  const { store, port, get } = serving(many)
  await store.index()
  const { leave } = unread(port, "/usage", 10)
  const stats = get("/stats")
  const searches = unread(port, "/search?q=x&in=title", 20)
  await Bun.sleep(50)
  expect(await (await get("/session/ses_1")).json()).toMatchObject({ id: "ses_1" })
  leave()
  searches.leave()
  expect(await (await stats).json()).toMatchObject({ kinds: { session: { files: SESSIONS } } })
  expect(await (await get("/usage")).json()).toBeArrayOfSize(1)
  const hits = await (await get("/search?q=x&in=title&limit=3")).json()
  expect(hits).toBeArrayOfSize(4)
}, 60_000)

test("HEAD answers as GET does, without reading a record", async () => {
  const { get, reads } = serving(many)
  const before = reads()
  const head = await get("/session", { method: "HEAD" })
  expect(head.status).toBe(200)
  expect(head.headers.get("content-type")).toBe("application/json")
  expect(await head.text()).toBe("")
  expect(reads()).toBe(before)
}, 30_000)

test("lines where they are asked for, and an empty list in either form", async () => {
  const directory = tempFolder()
  const { get } = serving(directory)
  const lines = { headers: { accept: "application/x-ndjson" } }
  expect(await (await get("/session")).text()).toBe("[]")
  expect(await (await get("/session", lines)).text()).toBe("")
  for (const id of ["ses_1", "ses_2"]) put(directory, `session/p/${id}.json`, session(id))
  const text = await (await get("/session", lines)).text()
  expect(text.split("\n").map((line) => (line ? JSON.parse(line).id : ""))).toEqual(["ses_2", "ses_1", ""])
})

test.each([
  ["application/json, application/x-ndjson", "application/x-ndjson"],
  ["APPLICATION/NDJSON;q=0.5, */*;q=0.1", "application/x-ndjson"],
  ["application/x-ndjson;q=0.5, application/json", "application/json"],
  ["application/x-ndjson;q=0, */*", "application/json"],
  ["application/x-ndjson;q=0.5, */*", "application/json"],
  ["application/x-ndjson;q=0.5, application/*;q=0.4, */*", "application/x-ndjson"],
  ["*/*", "application/json"],
  ["application/x-ndjson-not", "application/json"],
  ["", "application/json"],
])("whoever accepts %j is answered %s", async (accept, type) => {
  const { get } = serving(tempFolder())
  expect((await get("/session", { headers: { accept } })).headers.get("content-type")).toBe(type)
})

test("other requests are answered while a long list is written", async () => {
  const { get } = serving(many)
  const order: string[] = []
  const long = get("/session")
    .then((response) => response.text())
    .then(() => order.push("list"))
  await Bun.sleep(5)
  await get("/health").then(() => order.push("health"))
  await long
  expect(order).toEqual(["health", "list"])
}, 30_000)

test("a list that breaks off is not mistaken for a whole one, and is told of", async () => {
  const errors: unknown[] = []
  const directory = tempFolder()
  const title = "x".repeat(4_000)
  for (let i = 0; i < 400; i++) put(directory, `session/p/ses_${i}.json`, session(`ses_${i}`, { title }))
  let indexed = Number.POSITIVE_INFINITY
  const onProblem = (): void => {
    throw new Error("The app's own callback broke")
  }
  const { store, port, reads } = serving(
    directory,
    { onError: (error) => errors.push(error) },
    { onProblem },
    // After 100 bodies a file is seen torn, as if someone had just overwritten it.
    (descriptor, most) =>
      reads() > indexed + 100 ? Buffer.from("{") : fileSystem.readOpen(descriptor, most),
  )
  await untilProven()
  await store.index()
  indexed = reads()
  const answer = await raw(port, "GET /session HTTP/1.1\nHost: localhost\nConnection: close\n\n")
  expect(answer).toStartWith("HTTP/1.1 200")
  expect(answer.length).toBeGreaterThan(100_000)
  // The last chunk is missing, and the array's end.
  expect(answer.endsWith("0\r\n\r\n")).toBe(false)
  expect(answer.includes("callback broke")).toBe(false)
  expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining("callback broke") })])
})
