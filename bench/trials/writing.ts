import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, type Store } from "../../src/index.ts"
import { writeBare } from "../baselines/bare-write.ts"
import { type Context, scratchFolder } from "../context.ts"
import { interleave, ratio } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const AT_ONCE = 64
/** Groups are compared by the median of so many rounds, since a shared disk is seldom quiet. */
const GROUP_ROUNDS = 9
const VERSIONS = 2_000
const STREAM_MS = 2_000
const COALESCE_MS = 100

function session(id: string, text = "") {
  return {
    id,
    projectID: "p",
    version: "1",
    title: `A session ${text}`,
    time: { created: 1, updated: Date.now() },
  }
}

/** Durable writes, one at a time and many at once, updates, and a part that is streamed. */
export async function writing(context: Context): Promise<Row[]> {
  const directory = scratchFolder(context, "writes")
  await using store = await openStore({ directory, backgroundIndex: false })
  for (let i = 0; i < AT_ONCE; i++) await store.sessions.write(session(`ses_${i}`))
  const bare = join(directory, "session", "p", "bare.json")
  const text = JSON.stringify(session("bare"), null, 2)
  let n = 0
  const one = await interleave(
    GROUP_ROUNDS,
    {
      bare: { run: () => writeBare(bare, text) },
      write: { run: () => store.sessions.write(session("ses_0", String(n++))) },
      update: {
        run: () =>
          store.sessions.update("ses_0", (draft) => {
            draft.title = `Updated ${n++}`
          }),
      },
    },
    AT_ONCE,
  )
  fs.rmSync(bare)
  const group = await interleave(GROUP_ROUNDS, {
    alone: {
      run: async () => {
        for (let i = 0; i < AT_ONCE; i++) await store.sessions.write(session(`ses_${i}`, String(n++)))
      },
    },
    together: {
      run: () =>
        Promise.all(
          Array.from({ length: AT_ONCE }, (_, i) => store.sessions.write(session(`ses_${i}`, String(n++)))),
        ),
    },
  })
  return [
    rowOf("durable write, one at a time", "× the bare steps", ratio(one.write, one.bare), { atMost: 1.3 }),
    rowOf(
      "64 durable writes at once",
      "× the throughput of one at a time",
      ratio(group.alone, group.together),
      {
        atLeast: 2.5,
      },
    ),
    rowOf("update of one key", "× write", ratio(one.update, one.write), { atMost: 1.5 }),
    ...(await streamedPart(directory, store)),
  ]
}

async function streamedPart(directory: string, store: Store): Promise<Row[]> {
  const path = join(directory, "part", "msg_1", "prt_1.json")
  fs.mkdirSync(join(directory, "part", "msg_1"), { recursive: true })
  let writings = 0
  let inode = 0n
  const look = (): void => {
    const seen = fs.statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n
    if (seen !== inode) writings++
    inode = seen
  }
  let text = ""
  let stale = 0
  const begun = performance.now()
  for (let i = 0; i < VERSIONS; i++) {
    text += `token ${i} `
    const part = { id: "prt_1", messageID: "msg_1", sessionID: "ses_0", type: "text" as const, text }
    await store.parts.write(part, { coalesce: COALESCE_MS })
    if (Reflect.get((await store.parts.get(["part", "msg_1", "prt_1"])) ?? {}, "text") !== text) stale++
    look()
    const ahead = begun + ((i + 1) * STREAM_MS) / VERSIONS - performance.now()
    if (ahead > 0) await Bun.sleep(ahead)
  }
  await store.flush()
  look()
  const wrong = JSON.parse(fs.readFileSync(path, "utf8")).text === text ? 0 : 1
  return [
    rowOf("a part streamed as 2,000 versions over 2 s, coalesced at 100 ms", "file writes", writings, {
      atMost: 25,
    }),
    rowOf("reads of that part that were not the newest, or a wrong final text", "", stale + wrong, {
      atMost: 0,
    }),
  ]
}
