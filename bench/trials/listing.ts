import { lstatSync, readFileSync, writeFileSync } from "node:fs"
import { openStore } from "../../src/index.ts"
import { readAndParseAll } from "../baselines/floor.ts"
import { unstorageSessions } from "../baselines/peers.ts"
import { ScanStore } from "../baselines/scan-store.ts"
import { type Context, inChild, scratchFolder } from "../context.ts"
import { LONG_SESSION, makeLongSession, makeSessions } from "../data/long-session.ts"
import { interleave, ratio } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

function lookAtAll(paths: readonly string[]): void {
  for (const path of paths) lstatSync(path)
}

const LONG = 7_700
const SHORT = 400

/** Pages of sessions, and one long session, beside a store that scans. */
export async function listing(context: Context): Promise<Row[]> {
  return [
    ...(await pagesOfSessions(context)),
    ...(await listingsByFields(context)),
    ...(await longSession(context)),
  ]
}

/** A page filtered and ordered by declared fields, beside one filtered and ordered by the fields that all sessions have. */
async function listingsByFields(context: Context): Promise<Row[]> {
  const directory = scratchFolder(context, "fields")
  makeSessions(directory, 2_000)
  const scan = new ScanStore(directory)
  for (const [at, path] of (await scan.list("session")).entries()) {
    const body = JSON.parse(readFileSync(path, "utf8"))
    const half = at % 2 === 0
    writeFileSync(
      path,
      JSON.stringify({ ...body, directory: half ? "/w" : "/v", mood: half ? "calm" : "cross", score: at }),
    )
  }
  await Bun.sleep(200)
  await using store = await openStore({ directory, fields: { session: { mood: "text", score: "number" } } })
  await using plain = await openStore({ directory, backgroundIndex: false })
  await store.index()
  const where = { mood: "calm" }
  const times = await interleave(
    context.rounds,
    {
      fixed: { run: () => plain.sessions.page({ directory: "/w", limit: 50 }) },
      declared: { run: () => store.sessions.page({ where, order: "score", limit: 50 }) },
      fixedCount: { run: () => plain.sessions.count({ directory: "/w" }) },
      count: { run: () => store.sessions.count({ where }) },
    },
    20,
  )
  return [
    rowOf(
      "page of 50 of 2,000 sessions filtered and ordered by declared fields",
      "× one by fixed fields",
      ratio(times.declared, times.fixed),
      { atMost: 1.2 },
    ),
    rowOf(
      "count of 2,000 sessions filtered by a declared field",
      "× one by a fixed field",
      ratio(times.count, times.fixedCount),
      { atMost: 1.2 },
    ),
  ]
}

async function pagesOfSessions(context: Context): Promise<Row[]> {
  const directory = scratchFolder(context, "sessions")
  makeSessions(directory, 2_000)
  await Bun.sleep(200)
  await using store = await openStore({ directory })
  await using stale = await openStore({ directory, maxStaleness: 1_000, backgroundIndex: false })
  await store.index()
  const scan = new ScanStore(directory)
  const sessionPaths = await scan.list("session")
  const times = await interleave(
    context.rounds,
    {
      scan: { run: () => scan.sessions(50) },
      unstorage: { run: () => unstorageSessions(directory, 50) },
      ours: { run: () => store.sessions.page({ limit: 50 }) },
      stale: { run: () => stale.sessions.page({ limit: 50 }) },
      looks: { run: () => lookAtAll(sessionPaths) },
    },
    20,
  )
  return [
    rowOf(
      "page of 50 of 2,000 sessions, maxStaleness 0",
      "× faster than a scan",
      ratio(times.scan, times.ours),
      {
        atLeast: 12,
      },
    ),
    rowOf(
      "page of 50 of 2,000 sessions, maxStaleness 1,000",
      "× faster than a scan",
      ratio(times.scan, times.stale),
      {
        atLeast: 150,
      },
    ),
    rowOf("floor: a bare look at each of the 2,000", "× faster than a scan", ratio(times.scan, times.looks)),
    rowOf("page of 50 of 2,000 sessions", "× faster than unstorage", ratio(times.unstorage, times.ours)),
  ]
}

async function longSession(context: Context): Promise<Row[]> {
  const directory = scratchFolder(context, "long")
  const short = scratchFolder(context, "short")
  makeLongSession(directory, LONG)
  makeLongSession(short, SHORT)
  await Bun.sleep(200)
  for (const folder of [directory, short]) {
    await using store = await openStore({ directory: folder, backgroundIndex: false, search: "titles" })
    await store.index()
  }
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.messages.count(LONG_SESSION)
  const scan = new ScanStore(directory)
  const messagePaths = await scan.list("message", LONG_SESSION)
  const newest = await interleave(context.rounds, {
    scan: { run: () => scan.messages(LONG_SESSION, 100) },
    ours: { run: () => Array.fromAsync(store.messages.stream(LONG_SESSION, { limit: 100 })) },
    looks: { run: () => lookAtAll(messagePaths) },
  })
  const count = await interleave(
    context.rounds,
    {
      scan: { run: () => scan.countMessages(LONG_SESSION) },
      ours: { run: () => store.messages.count(LONG_SESSION) },
    },
    20,
  )
  const whole = await interleave(context.rounds, {
    scan: { run: () => scan.messages(LONG_SESSION) },
    ours: {
      run: async () => {
        for await (const _ of store.messages.stream(LONG_SESSION));
      },
    },
    files: { run: () => readAndParseAll(directory) },
  })
  const idle = await inChild<{ peak: number }>("idle")
  const few = await inChild<{ peak: number }>("newest", short)
  const many = await inChild<{ peak: number }>("newest", directory)
  const streamed = await inChild<{ peak: number }>("stream", directory)
  return [
    rowOf(
      "newest 100 messages with parts of 7,700",
      "× faster than a scan",
      ratio(newest.scan, newest.ours),
      {
        atLeast: 10,
      },
    ),
    rowOf(
      "floor: a bare look at each of the 7,700",
      "× faster than a scan",
      ratio(newest.scan, newest.looks),
    ),
    rowOf("memory of the newest 100, beside a session of 400", "×", many.peak / few.peak, { atMost: 1.1 }),
    rowOf("count of 7,700 messages", "× faster than a scan", ratio(count.scan, count.ours), { atLeast: 100 }),
    rowOf(
      "7,700 messages with 28,000 parts streamed",
      "× faster than a scan",
      ratio(whole.scan, whole.ours),
      {
        atLeast: 4,
      },
    ),
    rowOf(
      "floor: reading and parsing the same files",
      "× faster than a scan",
      ratio(whole.scan, whole.files),
    ),
    rowOf("memory of streaming it", "MB above idle", streamed.peak - idle.peak, { atMost: 40 }),
  ]
}
