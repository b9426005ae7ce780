import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, type Pruned, type PruneOptions, type PruneResult, type Store } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store as StoreClass } from "../../src/store.ts"
import { Random } from "../support/random.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const SESSIONS = 2000
const DAY = 86_400_000
const NOW = Date.now()

interface Known {
  readonly id: string
  readonly project: string
  readonly updated: number
  readonly parentID: string | null
  bytes: number
}

/** A store of 2,000 sessions of all sizes in three projects, a fifth of them children; and what is known of them. */
function fill(directory: string): Known[] {
  const random = new Random(11)
  const known: Known[] = []
  for (let s = 0; s < SESSIONS; s++) {
    const id = `ses_${s}`
    const project = random.pick(["a", "b", "c"])
    const updated = NOW - random.below(365 * DAY)
    const parentID = s > 0 && random.chance(0.2) ? `ses_${random.below(s)}` : null
    const paths = [
      put(
        directory,
        `session/${project}/${id}.json`,
        session(id, { parentID, time: { created: 1, updated } }),
      ),
    ]
    for (let m = 0; m < random.below(3); m++) {
      const messageID = `msg_${s}_${m}`
      paths.push(put(directory, `message/${id}/${messageID}.json`, message(messageID, id, m)))
      paths.push(
        put(
          directory,
          `part/${messageID}/prt_1.json`,
          part("prt_1", messageID, "x".repeat(random.below(500))),
        ),
      )
    }
    if (random.chance(0.3)) paths.push(put(directory, `todo/${id}.json`, []))
    const bytes = paths.reduce((sum, path) => sum + fs.statSync(path).size, 0)
    known.push({ id, project, updated, parentID, bytes })
  }
  return known.sort((a, b) => b.updated - a.updated)
}

/** Every file with its content, as one number each. */
function contents(directory: string): Map<string, bigint | number> {
  const found = new Map<string, bigint | number>()
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(directory.length + 1)
    if (entry.isFile() && !path.startsWith(".sessiondex"))
      found.set(path, Bun.hash(fs.readFileSync(join(directory, path))))
  }
  return found
}

async function run(store: Store, options: PruneOptions): Promise<{ pruned: Pruned[]; result: PruneResult }> {
  const pruned: Pruned[] = []
  const running = store.prune(options)
  let next = await running.next()
  for (; !next.done; next = await running.next()) pruned.push(next.value)
  return { pruned, result: next.value }
}

/** The same question asked of what is known, the plain way. */
function expected(known: readonly Known[], rule: PruneOptions): Set<string> {
  const inScope = known.filter(({ project }) => rule.projectID === undefined || project === rule.projectID)
  const gone = new Set<string>()
  let bytes = 0
  for (const [at, one] of inScope.entries()) {
    bytes += one.bytes
    if (
      (rule.olderThan !== undefined && NOW - one.updated > rule.olderThan) ||
      (rule.keep !== undefined && at >= rule.keep) ||
      (rule.maxBytes !== undefined && bytes > rule.maxBytes)
    )
      gone.add(one.id)
  }
  for (let grew = rule.children ?? false; grew; ) {
    const before = gone.size
    for (const { id, parentID } of known) if (gone.has(parentID ?? "")) gone.add(id)
    grew = gone.size > before
  }
  return gone
}

test("on 2,000 sessions dry run, run and a plain look agree for each rule, and restore brings back every byte", async () => {
  const directory = tempFolder()
  const known = fill(directory)
  const whole = contents(directory)
  const total = known.reduce((sum, { bytes }) => sum + bytes, 0)
  const rules: PruneOptions[] = [
    { olderThan: 320 * DAY },
    { keep: 450, projectID: "b", children: true },
    { maxBytes: Math.round(total * 0.9) },
  ]
  for (const [at, rule] of rules.entries()) {
    // The index takes part in one of them; the files alone are asked the others, which is faster.
    await using store =
      at === 0
        ? await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
        : new StoreClass(resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" }), {
            filesOnly: true,
          })
    const gone = expected(known, rule)
    expect(gone.size).toBeGreaterThan(50)
    expect(gone.size).toBeLessThan(SESSIONS)
    const dry = await run(store, { ...rule, dryRun: true })
    expect(new Set(dry.pruned.map(({ id }) => id))).toEqual(gone)
    if (at === 0) expect(contents(directory)).toEqual(whole)
    const { pruned, result } = await run(store, rule)
    expect(pruned.map(({ id, files, bytes }) => [id, files, bytes])).toEqual(
      dry.pruned.map(({ id, files, bytes }) => [id, files, bytes]),
    )
    expect(result).toEqual(dry.result)
    expect(result.bytes).toBe(
      known.filter(({ id }) => gone.has(id)).reduce((sum, { bytes }) => sum + bytes, 0),
    )
    expect(new Set(await all(store.sessions.ids()))).toEqual(
      new Set(known.map(({ id }) => id).filter((id) => !gone.has(id))),
    )
    expect(await all(store.orphans())).toEqual([])
    await all(store.trash.restore([...gone]))
    expect(contents(directory)).toEqual(whole)
    if (at > 0) continue
    expect(await all(store.sessions.ids())).toEqual(known.map(({ id }) => id))
    await store.index()
    expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  }
}, 120_000)

test("parts on another disk behind a link are trashed and restored there", async () => {
  const shared = "/dev/shm"
  if (!fs.existsSync(shared) || fs.statSync(shared).dev === fs.statSync(tempFolder()).dev) {
    console.log("there is no second disk to try it on")
    return
  }
  const directory = tempFolder()
  const elsewhere = fs.mkdtempSync(join(shared, "sessiondex-test-"))
  try {
    fs.symlinkSync(elsewhere, join(directory, "part"))
    put(directory, "session/p/ses_1.json", session("ses_1"))
    put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
    put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
    await using store = await openStore({ directory, backgroundIndex: false })
    expect((await run(store, { keep: 0 })).pruned).toMatchObject([{ outcome: "trashed", files: 3 }])
    expect(fs.existsSync(join(elsewhere, "msg_1"))).toBe(false)
    expect(await all(store.orphans())).toEqual([])
    expect(await all(store.keys())).toEqual([])
    await all(store.trash.restore("ses_1"))
    expect(await all(store.messages.stream("ses_1"))).toMatchObject([{ parts: [{ id: "prt_1" }] }])
    await run(store, { keep: 0, purge: true })
    const files = fs
      .readdirSync(elsewhere, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
    expect(files).toEqual([])
  } finally {
    fs.rmSync(elsewhere, { recursive: true })
  }
})

test("what cannot be moved whole stays whole, is told of, and hinders no other", async () => {
  const directory = tempFolder()
  for (const id of ["ses_1", "ses_2"]) {
    put(directory, `session/p/${id}.json`, session(id))
    put(directory, `message/${id}/msg_${id}.json`, message(`msg_${id}`, id, 1))
    put(directory, `part/msg_${id}/prt_1.json`, part("prt_1", `msg_${id}`))
  }
  const whole = contents(directory)
  const { fileSystem } = await import("../../src/file/system.ts")
  await using store = new StoreClass(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      rename(from, to) {
        if (from.endsWith("part/msg_ses_1"))
          throw Object.assign(new Error("no"), { code: "EACCES", path: from })
        fileSystem.rename(from, to)
      },
    },
  })
  const { pruned, result } = await run(store, { keep: 0 })
  expect(pruned.map(({ id, outcome, error }) => [id, outcome, error?.code])).toEqual(
    [
      ["ses_2", "trashed", undefined],
      ["ses_1", "failed", "WRITE_FAILED"],
    ].sort((a, b) => pruned.findIndex(({ id }) => id === a[0]) - pruned.findIndex(({ id }) => id === b[0])),
  )
  expect(result).toMatchObject({ sessions: 1, left: 1 })
  expect(await all(store.messages.stream("ses_1"))).toMatchObject([{ parts: [{ id: "prt_1" }] }])
  await all(store.trash.restore("ses_2"))
  expect(contents(directory)).toEqual(whole)
})
