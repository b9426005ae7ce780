/** Damages an index again and again, and holds every answer against the files: `bun damage-child.ts <mode> <folder> <seed> <n>`. */
import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { openStore, type Store } from "../../src/index.ts"
import { put } from "../support/files.ts"
import { lookAt } from "../support/oracle.ts"
import { Random } from "../support/random.ts"
import { message, session } from "../support/records.ts"
import { answers, PROJECTS, SESSIONS } from "../support/world.ts"

const [, , mode, folder = "", seed = "1", count = "10"] = process.argv
const random = new Random(Number(seed))
const directory = join(folder, "store")
const byKind: Record<string, number> = {}
let fromFiles = 0
let generations = 0

for (let s = 0; s < 12; s++) {
  const id = s < SESSIONS.length ? (SESSIONS[s] ?? "") : `ses_${s}x`
  put(
    directory,
    `session/${PROJECTS[s % 3]}/${id}.json`,
    session(id, { time: { created: s, updated: s % 5 } }),
  )
  for (let m = 0; m < 30; m++)
    put(directory, `message/${id}/msg_${s}_${m}.json`, { ...message(`msg_${s}_${m}`, id, m % 7), text: "t" })
}
const other = join(folder, "other")
put(other, "session/a/ses_1.json", session("ses_1", { title: "of another store" }))
{
  await using store = await openStore({ directory: other, backgroundIndex: false })
  await store.index()
}
const foreign = fs.readFileSync(join(other, ".sessiondex/index.sqlite"))
await Bun.sleep(130)

type Damage = (path: string) => (() => void) | undefined

function overwrite(path: string, change: (bytes: Buffer) => void): undefined {
  const bytes = fs.readFileSync(path)
  change(bytes)
  fs.writeFileSync(path, bytes, { flag: "r+" })
}

const noise = (bytes: Buffer, from = 0, to = bytes.length): void => {
  for (let i = from; i < to; i++) bytes[i] = random.below(256)
}

/** What may befall each of the three files. */
const FILE_DAMAGES: Record<string, Damage> = {
  truncated: (path) => fs.truncateSync(path, random.below(fs.statSync(path).size)) as undefined,
  emptied: (path) => fs.truncateSync(path, 0) as undefined,
  zeroed: (path) => overwrite(path, (bytes) => bytes.fill(0)),
  deleted: (path) => fs.rmSync(path) as undefined,
  noise: (path) => overwrite(path, (bytes) => noise(bytes)),
  "noise in its head": (path) => overwrite(path, (bytes) => noise(bytes, 0, Math.min(100, bytes.length))),
  replaced: (path) => {
    fs.writeFileSync(`${path}.new`, Buffer.from("not a database".repeat(500)))
    fs.renameSync(`${path}.new`, path)
    return undefined
  },
}

/** What may befall the database and what lies around it; some are undone after the answers. */
const OTHER_DAMAGES: Record<string, Damage> = {
  "another store's index": (path) => fs.writeFileSync(path, foreign) as undefined,
  "a folder in its place": (path) => {
    fs.rmSync(path, { recursive: true })
    fs.mkdirSync(path)
    return () => fs.rmSync(path, { recursive: true, force: true })
  },
  "locked by another": (path) => {
    const holder = new Database(path)
    holder.run("pragma locking_mode = exclusive")
    try {
      holder.run("begin exclusive")
    } catch {
      // The store has it open; then it is not locked out.
    }
    return () => holder.close()
  },
  "made by a newer version": (path) => {
    const database = new Database(path)
    database.run(
      "insert into __drizzle_migrations (hash, created_at, name) values ('', 99, '29990101000000_future')",
    )
    database.close()
    return () => {
      for (const suffix of ["", "-wal", "-shm"]) fs.rmSync(path + suffix, { force: true })
    }
  },
  "its folder removed": (path) => fs.rmSync(join(path, ".."), { recursive: true }) as undefined,
  "a file in its folder's place": (path) => {
    const parent = join(path, "..")
    fs.rmSync(parent, { recursive: true })
    fs.writeFileSync(parent, "in the way")
    return () => fs.rmSync(parent, { force: true })
  },
  "noise in the pointer": (path) =>
    fs.writeFileSync(join(path, "..", "current"), Buffer.from("noise".repeat(20))) as undefined,
}

function expectEqual(said: unknown, what: string): void {
  const truth = lookAt(directory, SESSIONS, PROJECTS)
  if (isDeepStrictEqual(said, truth)) return
  throw new Error(`seed ${seed}, ${what}:\nsaid ${JSON.stringify(said)}\nwas  ${JSON.stringify(truth)}`)
}

/** Some change to the files, so that an answer from before the damage would be wrong. */
function change(): void {
  const s = random.below(SESSIONS.length)
  put(
    directory,
    `session/${PROJECTS[s % 3]}/${SESSIONS[s]}.json`,
    session(SESSIONS[s] ?? "", { time: { created: s, updated: random.below(50) } }),
  )
}

async function indexed(): Promise<Store> {
  const store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  return store
}

/** A damage, the file that it befalls, and whether the store has it open. */
interface Case {
  readonly name: string
  readonly suffix: string
  readonly open: boolean
}

/** Each damage to each file it may befall, of an open store and of a closed one. */
const EVERY_CASE: readonly Case[] = [true, false].flatMap((open) => [
  ...Object.keys(OTHER_DAMAGES).map((name) => ({ name, suffix: "", open })),
  ...["", "-wal", "-shm"].flatMap((suffix) =>
    Object.keys(FILE_DAMAGES).map((name) => ({ name, suffix, open })),
  ),
])

function anyCase(): Case {
  const open = random.chance(0.6)
  const suffix = random.pick(["", "", "-wal", "-shm"])
  return random.chance(0.3)
    ? { name: random.pick(Object.keys(OTHER_DAMAGES)), suffix: "", open }
    : { name: random.pick(Object.keys(FILE_DAMAGES)), suffix, open }
}

async function damageOnce({ name, suffix, open }: Case): Promise<void> {
  let store = await indexed()
  const path = store.health().index.path ?? ""
  if (!open) await store.close()
  const target = fs.existsSync(path + suffix) ? path + suffix : path
  const undo = (OTHER_DAMAGES[name] ?? FILE_DAMAGES[name])?.(target)
  const what = `${open ? "open, " : ""}${target.slice(path.length) || "database"} ${name}`
  byKind[name] = (byKind[name] ?? 0) + 1
  if (!open) store = await openStore({ directory, backgroundIndex: false })
  change()
  expectEqual(await answers(store), what)
  await store.write(["message", SESSIONS[0], "msg_own"], {
    ...message("msg_own", SESSIONS[0], random.below(9)),
    text: "own",
  })
  expectEqual(await answers(store), `${what}, after a write`)
  const { answers: counted, index } = store.health()
  fromFiles += counted.files
  if (index.path !== path) generations++
  if (counted.files > 0 && index.state === "failing" && index.reason === undefined)
    throw new Error(`${what}: no reason is told`)
  undo?.()
  await store.close()
}

/** Flips bits where SQLite need not notice; the answers may be wrong then, but verify must say so. */
async function flipOnce(): Promise<void> {
  const store = await indexed()
  const path = store.health().index.path ?? ""
  await store.close()
  overwrite(path, (bytes) => {
    for (let flips = 1 + random.below(4); flips > 0; flips--) {
      const at = random.below(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
    }
  })
  await using damaged = await openStore({ directory, backgroundIndex: false })
  const { ok } = await damaged.verify()
  byKind[ok ? "harmless" : "named"] = (byKind[ok ? "harmless" : "named"] ?? 0) + 1
  if (ok) expectEqual(await answers(damaged), "verify found nothing, but the answers differ")
  if (!(await damaged.verify({ repair: true })).ok) throw new Error(`seed ${seed}: repair left differences`)
  expectEqual(await answers(damaged), "after repair")
  if (!(await damaged.verify()).ok) throw new Error(`seed ${seed}: verify after repair`)
}

// Two processes, of odd and of even seeds, share every case; what is more is random.
const cases = EVERY_CASE.filter((_, at) => at % 2 === Number(seed) % 2)
for (let i = 0; i < Number(count); i++)
  await (mode === "silent" ? flipOnce() : damageOnce(cases[i] ?? anyCase()))
console.log(JSON.stringify({ damages: Number(count), byKind, fromFiles, generations }))
