import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import type { Pruned, PruneOptions, Store } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store as StoreClass } from "../../src/store.ts"
import { Random } from "../support/random.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder, tempFoldersInMemory } from "../support/temp.ts"

tempFoldersInMemory()

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

interface Known {
  readonly id: string
  readonly project: string
  used: number
  bytes: number
}

/** A store of random ages and activity, with folders that are missing, and what a plain look says of each session. */
function randomStore(directory: string, random: Random): Known[] {
  const known: Known[] = []
  for (let s = 0; s < 12; s++) {
    const id = `ses_${s}`
    const project = random.pick(["a", "b"])
    const updated = NOW - random.below(300 * DAY)
    // Some were copied: then their files are younger than what they say.
    const written = random.chance(0.3) ? Math.max(updated, NOW - 10 * DAY) : updated
    const paths: string[] = []
    const add = (path: string, body: unknown, time: number): void => {
      paths.push(putAt(directory, path, body, time))
    }
    add(`session/${project}/${id}.json`, session(id, { time: { created: 1, updated } }), written)
    let used = updated
    let youngest = written
    for (let m = 0; m < random.below(4); m++) {
      const messageID = `msg_${s}_${m}`
      const created = random.chance(0.2) ? updated + random.below(NOW - updated) : updated - random.below(DAY)
      const completed = random.chance(0.3) ? created + random.below(HOUR) : undefined
      const torn = random.chance(0.04)
      if (!torn) used = Math.max(used, created, completed ?? 0)
      const at = random.chance(0.1) ? written + random.below(NOW - written) : written - random.below(HOUR)
      youngest = Math.max(youngest, at)
      const time = completed === undefined ? { created } : { created, completed }
      add(`message/${id}/${messageID}.json`, torn ? "{" : message(messageID, id, created, { time }), at)
      if (random.chance(0.7)) add(`part/${messageID}/prt_1.json`, part("prt_1", messageID), written - 5)
    }
    if (random.chance(0.3)) add(`todo/${id}.json`, [], written)
    if (youngest > written + HOUR) used = Math.max(used, Math.floor(youngest))
    known.push({ id, project, used, bytes: paths.reduce((sum, path) => sum + fs.statSync(path).size, 0) })
  }
  return known.sort((a, b) => b.used - a.used)
}

function expected(known: readonly Known[], { olderThan, keep, maxBytes, projectID }: PruneOptions): string[] {
  let bytes = 0
  return known
    .filter(({ project }) => projectID === undefined || project === projectID)
    .filter((one, at) => {
      bytes += one.bytes
      return (
        (olderThan !== undefined && one.used < NOW - olderThan) ||
        (keep !== undefined && at >= keep) ||
        (maxBytes !== undefined && bytes > maxBytes)
      )
    })
    .map(({ id }) => id)
    .reverse()
}

test("over random stores what goes is what a plain computation says, and nothing that changed after the dry run", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed)
    const directory = tempFolder()
    const known = randomStore(directory, random)
    for (const kind of ["part", "todo"])
      if (random.chance(0.1)) fs.rmSync(join(directory, kind), { recursive: true, force: true })
    for (const one of known) one.bytes = bytesOf(directory, one)
    await using store = open(directory, seed % 2 === 0)
    const total = known.reduce((sum, { bytes }) => sum + bytes, 0)
    const rules: PruneOptions = random.pick([
      { olderThan: random.below(300) * DAY },
      { keep: random.below(12) },
      { maxBytes: random.below(total) },
      { keep: random.below(6), projectID: "a" },
      { olderThan: random.below(300) * DAY, maxBytes: random.below(total) },
    ])
    const dry = await all(store.prune({ ...rules, dryRun: true }))
    expect([seed, rules, dry.map(({ id }) => id)]).toEqual([seed, rules, expected(known, rules)])
    const only = new Map(dry.map(({ id, version }) => [id, version]))
    const changed = dry.map(({ id }) => id).filter(() => random.chance(0.4))
    for (const id of changed) {
      const project = known.find((one) => one.id === id)?.project
      const own = fs.readFileSync(join(directory, `session/${project}/${id}.json`), "utf8")
      if (random.chance(0.5)) put(directory, `session/${project}/${id}.json`, `${own} `)
      else
        put(
          directory,
          `message/${id}/msg_${random.below(9)}.json`,
          random.chance(0.5) ? message("x", id, NOW) : "{",
        )
    }
    const before = new Map(changed.map((id) => [id, filesOf(directory, id)]))
    const purge = random.chance(0.5)
    const gone = (await outcomes(store, { ...rules, only, purge })).flatMap(([id, outcome]) =>
      outcome === "changed" ? [] : id,
    )
    expect([seed, gone]).toEqual([seed, dry.map(({ id }) => id).filter((id) => !changed.includes(id))])
    for (const [id, files] of before) expect([seed, filesOf(directory, id)]).toEqual([seed, files])
  }
}, 120_000)

function filesOf(directory: string, id: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(".sessiondex"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes(`${id}.json`) || dirname(path).endsWith(id))
    .sort()
}

function bytesOf(directory: string, { id }: Known): number {
  const paths = filesOf(directory, id)
  const messages = paths.filter((path) => dirname(path).endsWith(`message/${id}`))
  const parts = messages.flatMap((path) => {
    const folder = join(directory, "part", path.slice(path.lastIndexOf("/") + 1, -".json".length))
    return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => join(folder, name)) : []
  })
  return [...paths, ...parts].reduce((sum, path) => sum + fs.statSync(path).size, 0)
}
