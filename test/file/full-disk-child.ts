import * as fs from "node:fs"
import { join } from "node:path"
import { isStoreError, openStore, type Store } from "../../src/index.ts"
import { put } from "../support/files.ts"
import { all, message, part, session } from "../support/records.ts"

/** Run by full-disk.test.ts on a small disk of its own: does one thing on it while it is full, and says what came of it. */
const [disk = "", scenario = "", full = ""] = process.argv.slice(2)
const directory = join(disk, "storage")

for (const id of ["ses_1", "ses_2", "ses_3"]) {
  put(directory, `session/p/${id}.json`, session(id, { time: { created: 1, updated: Number(id.slice(4)) } }))
  put(directory, `message/${id}/msg_${id}.json`, message(`msg_${id}`, id, 1))
  put(directory, `part/msg_${id}/prt_1.json`, part("prt_1", `msg_${id}`))
  put(directory, `todo/${id}.json`, [])
}

function fill(): void {
  fs.mkdirSync(join(disk, "filler"), { recursive: true })
  const room = fs.statfsSync(disk)
  try {
    if (full === "bytes")
      fs.writeFileSync(join(disk, "filler/bytes"), Buffer.alloc(Number(room.bfree) * room.bsize + 1))
    else for (let f = 0; ; f++) fs.writeFileSync(join(disk, `filler/${f}`), "")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error
  }
  const { bfree, ffree } = fs.statfsSync(disk)
  if (Number(full === "bytes" ? bfree : ffree) > 0) throw new Error("The disk is not full")
}

const open = (): Promise<Store> => openStore({ directory, backgroundIndex: false })

/** What was thrown, or what came of it. */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work
  } catch (error) {
    if (!isStoreError(error)) throw error
    const { code, cause, hint } = error
    return { code, cause: cause instanceof Error && "code" in cause ? cause.code : undefined, hint }
  }
}

async function outcomes(
  work: AsyncIterable<{ readonly id: string; readonly outcome?: string }>,
): Promise<unknown> {
  return outcome(all(work).then((items) => items.map(({ id, outcome = "" }) => `${id} ${outcome}`.trim())))
}

const left = (folder: string): string[] =>
  fs.existsSync(join(directory, folder))
    ? fs
        .readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
        .sort()
    : []

const SCENARIOS: Record<string, () => Promise<unknown>> = {
  async "first write"() {
    fill()
    await using store = await open()
    const written = await outcome(store.sessions.write({ ...session("ses_9"), title: "x".repeat(9000) }))
    return { written, listed: (await all(store.sessions.ids())).length, left: left("session") }
  },
  async "first removal"() {
    fill()
    await using store = await open()
    const removed = await outcome(store.remove(["todo", "ses_1"]))
    const cascade = await outcome(store.sessions.remove("ses_2"))
    return {
      removed,
      cascade,
      left: [...left("session"), ...left("message"), ...left("part"), ...left("todo")],
    }
  },
  async "first purge"() {
    fill()
    await using store = await open()
    const pruned = await outcomes(store.prune({ keep: 1, purge: true }))
    return { pruned, left: [...left("session"), ...left("message"), ...left("part"), ...left("todo")] }
  },
  async "purge beside a trash"() {
    {
      await using store = await open()
      await outcomes(store.prune({ keep: 2 }))
      await all(store.trash.restore("ses_1"))
    }
    fill()
    await using store = await open()
    const pruned = await outcomes(store.prune({ keep: 1, purge: true }))
    return { pruned, left: [...left("session"), ...left("message"), ...left("part"), ...left("todo")] }
  },
  async "prune, then empty the trash"() {
    {
      await using store = await open()
      await outcomes(store.prune({ keep: 2 }))
    }
    fill()
    await using store = await open()
    const pruned = await outcomes(store.prune({ keep: 1 }))
    const whole = [...left("session"), ...left("message"), ...left("part"), ...left("todo")]
    const entries = fs
      .readdirSync(join(directory, ".sessiondex-trash"))
      .filter((name) => name !== "lock").length
    const emptied = await outcomes(store.trash.empty())
    fs.rmSync(join(disk, "filler"), { recursive: true })
    return { pruned, whole, entries, emptied, later: await outcomes(store.prune({ keep: 1 })) }
  },
  async "verify when there is room again"() {
    await using store = await open()
    fill()
    const listed = (await all(store.sessions.ids())).length
    const { kind } = store.health().index
    fs.rmSync(join(disk, "filler"), { recursive: true })
    const verified = await outcome(
      store
        .index()
        .then(() => store.verify())
        .then(({ ok }) => ok),
    )
    return { listed, kind, verified }
  },
}

console.log(JSON.stringify(await SCENARIOS[scenario]?.()))
