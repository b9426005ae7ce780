import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Pruned, PruneOptions, Store } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store as StoreClass } from "../../src/store.ts"
import { Random } from "../support/random.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"

const DAY = 86_400_000
const HOUR = 3_600_000
const NOW = Date.now()
const SEEDS = process.env.SESSIONDEX_TEST_LONG ? 200 : 8

function open(directory: string, filesOnly = false): StoreClass {
  const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
  return new StoreClass(options, { filesOnly })
}

/** Puts a file as if it had been written so long ago. */
function putAt(directory: string, path: string, body: unknown, time: number): string {
  const file = put(directory, path, body)
  fs.utimesSync(file, time / 1000, time / 1000)
  return file
}

/** A session of two messages, all of one time: body and files. */
function putSession(directory: string, id: string, time: number): void {
  putAt(directory, `session/p/${id}.json`, session(id, { time: { created: 1, updated: time } }), time)
  for (const m of [0, 1]) {
    putAt(directory, `message/${id}/msg_${id}_${m}.json`, message(`msg_${id}_${m}`, id, time), time)
    putAt(directory, `part/msg_${id}_${m}/prt_1.json`, part("prt_1", `msg_${id}_${m}`), time)
  }
}

async function outcomes(store: Store, options: PruneOptions): Promise<[string, Pruned["outcome"]][]> {
  return (await all(store.prune(options))).map(({ id, outcome }) => [id, outcome])
}

async function names(store: Store, options: PruneOptions): Promise<string[]> {
  return (await all(store.prune({ ...options, dryRun: true }))).map(({ id }) => id)
}

test("a session whose last message is a minute old is in use, whatever its own file says", async () => {
  const directory = tempFolder()
  const old = NOW - 200 * DAY
  for (const id of ["ses_created", "ses_completed", "ses_torn", "ses_part", "ses_todo", "ses_old"])
    putSession(directory, id, old)
  const minute = NOW - 60_000
  putAt(directory, "message/ses_created/msg_new.json", message("msg_new", "ses_created", minute), old)
  const completed = message("msg_2", "ses_completed", old, { time: { created: old, completed: minute } })
  putAt(directory, "message/ses_completed/msg_2.json", completed, old)
  putAt(directory, "message/ses_torn/msg_3.json", "{ torn", minute)
  putAt(directory, "part/msg_ses_part_1/prt_2.json", part("prt_2", "msg_ses_part_1"), minute)
  putAt(directory, "todo/ses_todo.json", [], minute)
  await using store = open(directory)
  expect(await names(store, { olderThan: 90 * DAY })).toEqual(["ses_old"])
  expect(await names(store, { keep: 5 })).toEqual(["ses_old"])
  const bytes = (await all(store.prune({ keep: 0, dryRun: true })))
    .filter(({ id }) => id !== "ses_old")
    .reduce((sum, { bytes }) => sum + bytes, 0)
  expect(await names(store, { maxBytes: bytes })).toEqual(["ses_old"])
})

test("a copy whose files are all young is as old as its records say, and keeps their order", async () => {
  const directory = tempFolder()
  // Copied within ten minutes, the oldest last.
  for (const [at, days] of [5, 100, 200, 300].entries()) {
    putSession(directory, `ses_${days}`, NOW - days * DAY)
    for (const path of [`session/p/ses_${days}.json`, `message/ses_${days}/msg_ses_${days}_1.json`]) {
      const copied = NOW / 1000 - 600 + at * 100
      fs.utimesSync(join(directory, path), copied, copied)
    }
  }
  await using store = open(directory)
  expect(await names(store, { olderThan: 90 * DAY })).toEqual(["ses_300", "ses_200", "ses_100"])
  expect(await names(store, { keep: 1 })).toEqual(["ses_300", "ses_200", "ses_100"])
})

test("a folder's times alone do not make a session young: a copy that keeps those of files often loses them", async () => {
  const directory = tempFolder()
  putSession(directory, "ses_1", NOW - 200 * DAY)
  for (const path of ["message/ses_1", "part/msg_ses_1_1"])
    fs.utimesSync(join(directory, path), NOW / 1000, NOW / 1000)
  await using store = open(directory)
  expect(await names(store, { olderThan: 90 * DAY })).toEqual(["ses_1"])
})

test("a session whose messages cannot be looked at stays, is told of, and hinders no other", async () => {
  const directory = tempFolder()
  for (const id of ["ses_1", "ses_2", "ses_3"]) putSession(directory, id, NOW - 200 * DAY)
  const { fileSystem } = await import("../../src/file/system.ts")
  const refuse = (path: string): void => {
    throw Object.assign(new Error("no"), { code: "EIO", path })
  }
  const told: string[] = []
  const options = resolveOptions({
    directory,
    backgroundIndex: false,
    onProblem: ({ path, code }) => told.push(`${code} ${path.slice(directory.length + 1)}`),
  })
  await using store = new StoreClass(options, {
    filesOnly: true,
    fs: {
      ...fileSystem,
      readNames(path) {
        if (path.endsWith("message/ses_1")) refuse(path)
        return fileSystem.readNames(path)
      },
      openFile(path) {
        if (path.endsWith("msg_ses_2_0.json")) refuse(path)
        return fileSystem.openFile(path)
      },
    },
  })
  expect(await outcomes(store, { olderThan: 90 * DAY, purge: true })).toEqual([["ses_3", "purged"]])
  expect(told).toContain("UNREADABLE message/ses_1")
  expect(told).toContain("UNREADABLE message/ses_2/msg_ses_2_0.json")
  for (const id of ["ses_1", "ses_2"])
    expect(fs.existsSync(join(directory, `session/p/${id}.json`))).toBe(true)
})

/** What another program may do to a session that was chosen, each of which leaves its `time.updated` alone. */
const CHANGES: Record<string, (directory: string, id: string) => void> = {
  "a new message of an old time": (directory, id) =>
    void putAt(directory, `message/${id}/msg_x.json`, message("msg_x", id, 5), NOW - 300 * DAY),
  "a part more": (directory, id) =>
    void putAt(directory, `part/msg_${id}_0/prt_9.json`, part("prt_9", `msg_${id}_0`), NOW - 300 * DAY),
  "a part of the same size in its place": (directory, id) => {
    const path = join(directory, `part/msg_${id}_0/prt_1.json`)
    fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace("text of", "text at"))
    fs.utimesSync(path, 5, 5)
  },
  "a message less": (directory, id) => fs.rmSync(join(directory, `message/${id}/msg_${id}_0.json`)),
  "another title": (directory, id) =>
    void putAt(
      directory,
      `session/p/${id}.json`,
      session(id, { title: "new", time: { created: 1, updated: NOW - 200 * DAY } }),
      NOW - 300 * DAY,
    ),
  "a todo": (directory, id) => void putAt(directory, `todo/${id}.json`, [], NOW - 300 * DAY),
}

test.each(Object.keys(CHANGES))("what was changed between dry run and run stays: %s", async (name) => {
  const directory = tempFolder()
  for (const id of ["ses_1", "ses_2"]) putSession(directory, id, NOW - 200 * DAY)
  await using store = open(directory)
  const rules = { keep: 0, purge: true }
  const agreed = new Map(
    (await all(store.prune({ ...rules, dryRun: true }))).map(({ id, version }) => [id, version]),
  )
  expect(agreed.size).toBe(2)
  CHANGES[name]?.(directory, "ses_1")
  const done = await outcomes(store, { ...rules, only: agreed })
  expect(done.toSorted()).toEqual([
    ["ses_1", "changed"],
    ["ses_2", "purged"],
  ])
  expect(fs.existsSync(join(directory, "session/p/ses_1.json"))).toBe(true)
})

test.each(Object.keys(CHANGES))("what is changed after it was chosen stays: %s", async (name) => {
  const directory = tempFolder()
  for (const id of ["ses_1", "ses_2"]) putSession(directory, id, NOW - 200 * DAY)
  await using store = open(directory)
  class Agreed extends Set<string> {
    override has(id: string): boolean {
      if (id === "ses_1") CHANGES[name]?.(directory, id)
      return true
    }
  }
  const done = await outcomes(store, { olderThan: 90 * DAY, purge: true, only: new Agreed() })
  expect(done.toSorted()).toEqual([
    ["ses_1", "changed"],
    ["ses_2", "purged"],
  ])
})

test("what is written while its session is being moved is never purged with it", async () => {
  const directory = tempFolder()
  for (const id of ["ses_1", "ses_2", "ses_3"]) putSession(directory, id, NOW - 200 * DAY)
  const { fileSystem } = await import("../../src/file/system.ts")
  const options = resolveOptions({ directory, backgroundIndex: false })
  let writing = true
  await using store = new StoreClass(options, {
    filesOnly: true,
    fs: {
      ...fileSystem,
      rename(from, to) {
        // The first writes into what is about to be moved, the second makes its folder anew behind it.
        if (writing && from === join(directory, "message/ses_1"))
          put(directory, "message/ses_1/msg_late.json", { late: 1 })
        fileSystem.rename(from, to)
        if (writing && from === join(directory, "message/ses_2"))
          put(directory, "message/ses_2/msg_late.json", { late: 2 })
      },
    },
  })
  const done = await outcomes(store, { keep: 0, purge: true })
  writing = false
  expect(done.toSorted()).toEqual([
    ["ses_1", "changed"],
    ["ses_2", "changed"],
    ["ses_3", "purged"],
  ])
  for (const id of ["ses_1", "ses_2"]) {
    expect(fs.readdirSync(join(directory, "message", id))).toHaveLength(3)
    expect(fs.existsSync(join(directory, `session/p/${id}.json`))).toBe(true)
    expect(fs.existsSync(join(directory, `part/msg_${id}_0/prt_1.json`))).toBe(true)
  }
  expect(await all(store.trash.list())).toEqual([])
})

test("an orphan that was written to between dry run and run stays", async () => {
  const directory = tempFolder()
  putSession(directory, "ses_1", NOW)
  putSession(directory, "ses_2", NOW)
  fs.rmSync(join(directory, "session/p/ses_2.json"))
  putAt(directory, "part/msg_gone/prt_1.json", {}, 5)
  await using store = open(directory)
  const dry = await all(store.prune({ orphans: true, dryRun: true }))
  expect(dry.map(({ id }) => id)).toEqual(["ses_2", "msg_gone"])
  const only = new Map(dry.map(({ id, version }) => [id, version]))
  putAt(directory, "part/msg_gone/prt_2.json", {}, 5)
  putAt(directory, "part/msg_ses_2_0/prt_2.json", {}, 5)
  expect(await outcomes(store, { orphans: true, only, purge: true })).toEqual([
    ["ses_2", "changed"],
    ["msg_gone", "changed"],
  ])
})

/** Puts a store of random ages and activity, some of it copied, torn, orphaned, or on a disk that is not there. */
function putRandomStore(directory: string, random: Random): void {
  for (let s = 0; s < 12; s++) {
    const id = `ses_${s}`
    const updated = NOW - random.below(300 * DAY)
    // Of some that were copied the files are younger than what they say.
    const written = random.chance(0.3) ? Math.max(updated, NOW - 10 * DAY) : updated
    const body = session(id, { time: { created: 1, updated } })
    putAt(directory, `session/${random.pick(["a", "b"])}/${id}.json`, body, written)
    for (let m = random.below(4); m > 0; m--) {
      const messageID = `msg_${s}_${m}`
      const created = random.chance(0.2) ? updated + random.below(NOW - updated) : updated - random.below(DAY)
      const time = random.chance(0.3) ? { created, completed: created + random.below(HOUR) } : { created }
      const at = random.chance(0.1) ? written + random.below(NOW - written) : written - random.below(HOUR)
      const text = random.chance(0.04) ? "{" : message(messageID, id, created, { time })
      putAt(directory, `message/${id}/${messageID}.json`, text, at)
      if (random.chance(0.7))
        putAt(directory, `part/${messageID}/prt_1.json`, part("prt_1", messageID), at - 5)
    }
    if (random.chance(0.3)) putAt(directory, `todo/${id}.json`, [], written)
  }
  for (const path of ["session", "message", "part", "todo", "session/a", "message/ses_1"])
    if (random.chance(0.07)) fs.rmSync(join(directory, path), { recursive: true, force: true })
  if (random.chance(0.2)) putAt(directory, "part/msg_gone/prt_1.json", {}, NOW - 100 * DAY)
}

/** A session or orphan, as a plain look at the files finds it. */
interface Known {
  readonly id: string
  readonly project?: string
  readonly paths: string[]
  readonly used: number
}

function below(directory: string, path: string): string[] {
  const folder = join(directory, path)
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : []
}

function idsBelow(directory: string, path: string): string[] {
  return below(directory, path).map((name) => name.replace(".json", ""))
}

/** Everything that goes with an id, and the newest time that its messages tell. */
function belongings(directory: string, id: string): { paths: string[]; told: number } {
  const paths: string[] = []
  let told = 0
  for (const messageID of idsBelow(directory, `message/${id}`)) {
    const path = `message/${id}/${messageID}.json`
    paths.push(path, ...below(directory, `part/${messageID}`).map((name) => `part/${messageID}/${name}`))
    const text = fs.readFileSync(join(directory, path), "utf8")
    if (text === "{") continue
    const { time } = JSON.parse(text) as { time: { created: number; completed?: number } }
    told = Math.max(told, time.created, time.completed ?? 0)
  }
  if (fs.existsSync(join(directory, `todo/${id}.json`))) paths.push(`todo/${id}.json`)
  return { paths, told }
}

function mtimes(directory: string, paths: readonly string[]): number {
  return Math.max(0, ...paths.map((path) => Math.floor(fs.statSync(join(directory, path)).mtimeMs)))
}

/** All sessions, used last first, and all orphans, those of sessions before those of messages. */
function plainLook(directory: string): { sessions: Known[]; orphans: Known[] } {
  const sessions = ["a", "b"].flatMap((project) =>
    idsBelow(directory, `session/${project}`).map((id): Known => {
      const own = `session/${project}/${id}.json`
      const { time } = JSON.parse(fs.readFileSync(join(directory, own), "utf8")) as {
        time: { updated: number }
      }
      const { paths, told } = belongings(directory, id)
      const youngest = mtimes(directory, paths)
      const recorded = Math.max(time.updated, told)
      const used = youngest > mtimes(directory, [own]) + HOUR ? Math.max(recorded, youngest) : recorded
      return { id, project, paths: [own, ...paths], used }
    }),
  )
  const ids = new Set(sessions.map(({ id }) => id))
  const held = new Set(below(directory, "message").flatMap((id) => idsBelow(directory, `message/${id}`)))
  const remains = new Set(
    [...below(directory, "message"), ...idsBelow(directory, "todo")].filter((id) => !ids.has(id)),
  )
  const orphans = [
    ...[...remains].sort().map((id) => ({ id, paths: belongings(directory, id).paths })),
    ...below(directory, "part")
      .filter((id) => !held.has(id))
      .map((id) => ({ id, paths: below(directory, `part/${id}`).map((name) => `part/${id}/${name}`) })),
  ].map((orphan): Known => ({ ...orphan, used: mtimes(directory, orphan.paths) }))
  return { sessions: sessions.sort((a, b) => b.used - a.used), orphans }
}

/** The ids that go by these rules, or `undefined` where a disk seems not to be there. */
function expected(directory: string, rules: PruneOptions): string[] | undefined {
  const { olderThan, keep, maxBytes, projectID, orphans } = rules
  const found = plainLook(directory)
  const noMessage = !below(directory, "message").some((id) => below(directory, `message/${id}`).length > 0)
  if (noMessage && below(directory, "part").length > 0) return undefined
  if (orphans && found.sessions.length === 0 && found.orphans.some(({ id }) => id.startsWith("ses")))
    return undefined
  const cut = olderThan === undefined ? undefined : NOW - olderThan
  let bytes = 0
  const gone = found.sessions
    .filter(({ project }) => projectID === undefined || project === projectID)
    .filter(({ used, paths }, at) => {
      bytes += paths.reduce((sum, path) => sum + fs.statSync(join(directory, path)).size, 0)
      const isOld = cut !== undefined && used < cut
      return isOld || (keep !== undefined && at >= keep) || (maxBytes !== undefined && bytes > maxBytes)
    })
    .reverse()
  const left = orphans ? found.orphans.filter(({ used }) => used < (cut ?? Number.POSITIVE_INFINITY)) : []
  return [...gone, ...left].map(({ id }) => id)
}

test("over random stores what goes is what a plain computation says, and nothing that changed after the dry run", async () => {
  let refused = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed)
    const directory = tempFolder()
    putRandomStore(directory, random)
    await using store = open(directory, seed % 2 === 0)
    const rules: PruneOptions = {
      ...random.pick([
        { olderThan: random.below(300) * DAY },
        { keep: random.below(12) },
        { maxBytes: random.below(8000) },
        { keep: random.below(6), projectID: "a" },
        { olderThan: random.below(300) * DAY, maxBytes: random.below(8000) },
      ]),
      orphans: random.chance(0.5),
    }
    const plain = expected(directory, rules)
    if (!plain) {
      refused++
      const before = snapshot(directory)
      expect(await failure(all(store.prune({ ...rules, purge: true })))).toMatchObject({ code: "UNREADABLE" })
      for (const [path, content] of Object.entries(before)) expect(snapshot(directory)[path]).toBe(content)
      continue
    }
    const dry = await all(store.prune({ ...rules, dryRun: true }))
    expect([seed, rules, dry.map(({ id }) => id)]).toEqual([seed, rules, plain])
    const only = new Map(dry.map(({ id, version }) => [id, version]))
    const looked = plainLook(directory)
    const known = new Map([...looked.sessions, ...looked.orphans].map((one) => [one.id, one.paths]))
    const changed = new Set<string>()
    for (const { id, kind } of dry) {
      if (!random.chance(0.4)) continue
      changed.add(id)
      const [path = ""] = known.get(id) ?? []
      const bytes = fs.readFileSync(join(directory, path), "utf8")
      if (random.chance(0.5)) fs.writeFileSync(join(directory, path), `${bytes} `)
      else if (kind === "parts") put(directory, `part/${id}/prt_new.json`, {})
      else put(directory, `message/${id}/msg_new_${id}.json`, message("x", id, random.chance(0.5) ? NOW : 5))
    }
    const purge = random.chance(0.5)
    const gone = (await outcomes(store, { ...rules, only, purge })).flatMap(([id, outcome]) =>
      outcome === "changed" ? [] : id,
    )
    expect([seed, gone]).toEqual([seed, plain.filter((id) => !changed.has(id))])
    for (const [id, paths] of known)
      for (const path of paths)
        expect([seed, path, fs.existsSync(join(directory, path))]).toEqual([seed, path, !gone.includes(id)])
  }
  console.log(`${SEEDS} stores, of which ${refused} seemed to lack a disk`)
}, 300_000)
