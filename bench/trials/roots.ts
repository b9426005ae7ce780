import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore, type Store } from "../../src/index.ts"
import { ScanStore } from "../baselines/scan-store.ts"
import { type Context, scratchFolder } from "../context.ts"
import { interleave, ratio } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const SESSIONS = 2_000
const PROJECTS = 4
/** One call takes some ms, so one alone is noise. */
const ITERATIONS = 9
const TEXTS = ["the parser reads one token", "a rename in the middle of it", "nothing to be done here"]

/** What two roots of 1,000 sessions cost beside one root of the same 2,000. */
export async function roots(context: Context): Promise<Row[]> {
  const one = scratchFolder(context, "one-root")
  const halves = [scratchFolder(context, "half-0"), scratchFolder(context, "half-1")] as const
  for (let n = 0; n < SESSIONS; n++) for (const folder of [one, halves[n % 2] ?? one]) putSession(folder, n)
  await Bun.sleep(200)
  await using alone = await openStore({ directory: one, backgroundIndex: false })
  await using both = await openStore({ directory: halves[0], alsoRead: [halves[1]], backgroundIndex: false })
  for (const store of [alone, both]) await store.index()
  const calls: Record<string, (store: Store) => unknown> = {
    "page of 50": (store) => store.sessions.page({ limit: 50 }),
    "count by a filter": (store) => store.sessions.count({ archived: "exclude" }),
    "children of a session": (store) => Array.fromAsync(store.sessions.children("ses_00000")),
    "list of all ids": (store) => Array.fromAsync(store.sessions.ids()),
    "search for a common word": (store) => Array.fromAsync(store.search("parser", { limit: 50 })),
    "search for an absent word": (store) => Array.fromAsync(store.search("xyzzyqux", { limit: 50 })),
  }
  const rows: Row[] = [await besideScans(context, both, halves)]
  for (const [name, call] of Object.entries(calls)) {
    const times = await interleave(
      context.rounds,
      { alone: { run: () => call(alone) }, both: { run: () => call(both) } },
      ITERATIONS,
    )
    rows.push(
      rowOf(
        `${name}, two roots of 1,000 sessions`,
        "× one root of 2,000",
        ratio(times.both, times.alone),
        name.startsWith("list") ? undefined : { atMost: 1.3 },
      ),
    )
  }
  return rows
}

/** A page of two roots, beside reading all sessions of both and sorting them. */
async function besideScans(context: Context, both: Store, folders: readonly string[]): Promise<Row> {
  const scan = async (): Promise<void> => {
    for (const folder of folders) await new ScanStore(folder).sessions(50)
  }
  const times = await interleave(
    context.rounds,
    { ours: { run: () => both.sessions.page({ limit: 50 }) }, scan: { run: scan } },
    ITERATIONS,
  )
  const what = "page of 50, two roots of 1,000 sessions"
  return rowOf(what, "× faster than a scan of both", ratio(times.scan, times.ours))
}

/** A session with a message of one part. */
function putSession(folder: string, n: number): void {
  const id = `ses_${String(n).padStart(5, "0")}`
  const project = `project${n % PROJECTS}`
  const time = {
    created: 1_700_000_000_000 + n * 1_000,
    updated: 1_700_000_000_000 + ((n * 7_919) % SESSIONS) * 1_000,
  }
  put(folder, ["session", project, id], {
    id,
    projectID: project,
    title: `Session ${n}`,
    version: "1.1.65",
    directory: "/home/dev/app",
    time,
    ...(n % 10 === 1 && { parentID: "ses_00000" }),
  })
  put(folder, ["message", id, `msg_${n}`], {
    id: `msg_${n}`,
    sessionID: id,
    role: "user",
    time: { created: time.created },
  })
  put(folder, ["part", `msg_${n}`, `prt_${n}`], {
    id: `prt_${n}`,
    sessionID: id,
    messageID: `msg_${n}`,
    type: "text",
    text: TEXTS[n % TEXTS.length],
  })
}

function put(folder: string, key: readonly string[], body: unknown): void {
  const path = `${join(folder, ...key)}.json`
  mkdirSync(join(path, ".."), { recursive: true })
  writeFileSync(path, JSON.stringify(body, null, 2))
}
