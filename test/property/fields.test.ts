import { expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { FieldTypes, SessionListOptions } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { Random } from "../support/random.ts"
import { tempFolder } from "../support/temp.ts"

const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
const SEEDS = LONG ? 200 : 8
const STEPS = LONG ? 300 : 60
const ONLY = process.env.SESSIONDEX_TEST_SEED

const NAMES = ["mood", "score", "title", "toString"]
const TEXTS = ["", "a", "b", "\u{1f600}", "\uffee", "a\u0000b", "\ud83d", "x".repeat(512), "x".repeat(513)]
const NUMBERS = [0, -0, 1, -1.5, 2 ** 53, 5e-324, 0.1 + 0.2, -1e300]
const ODD = [null, true, {}, []]
const PROJECTS = ["p", "q"]
const IDS = ["ses_1", "ses_2", "ses_3", "ses_4", "ses_5"]

interface Found {
  readonly id: string
  readonly project: string
  readonly updated: number
  readonly body: Readonly<Record<string, unknown>>
}

/** The plainest look at all bodies of all folders. */
function bodiesOf(directories: readonly string[]): { root: number; found: Found }[] {
  return directories.flatMap((directory, root) =>
    PROJECTS.flatMap((project) =>
      readdirSync(join(directory, "session", project))
        .filter((name) => name.endsWith(".json"))
        .flatMap((name) => {
          const text = readFileSync(join(directory, "session", project, name), "utf8")
          try {
            const body = JSON.parse(text)
            return [{ root, found: { id: name.slice(0, -5), project, updated: body.time.updated, body } }]
          } catch {
            return []
          }
        }),
    ),
  )
}

type Value = string | number | undefined

function valueOfField(body: Readonly<Record<string, unknown>>, name: string, type: unknown): Value {
  const value = Object.hasOwn(body, name) ? body[name] : undefined
  if (type === "number") return typeof value === "number" ? value : undefined
  return typeof value === "string" && value.length <= 512 ? value.toWellFormed() : undefined
}

function compareTexts(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function compareValues(a: Value, b: Value): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1
  return compareTexts(String(a), String(b))
}

interface Asked {
  readonly order: string
  readonly direction: "asc" | "desc"
  readonly projectID: string | undefined
  readonly where: Readonly<Record<string, unknown>>
}

function expected(directories: readonly string[], types: FieldTypes, asked: Asked): string[] {
  const { order, direction, projectID, where } = asked
  const all = bodiesOf(directories).filter(
    ({ found }) => projectID === undefined || found.project === projectID,
  )
  const newest = new Map<string, (typeof all)[number]>()
  for (const one of all) {
    const known = newest.get(one.found.id)
    // Of one root the last folder wins among equals, of several roots the first.
    if (!known || one.found.updated > known.found.updated) newest.set(one.found.id, one)
    else if (one.found.updated === known.found.updated && one.root === known.root)
      newest.set(one.found.id, one)
  }
  const keyOf = ({ body, updated }: Found): Value =>
    order === "updated" ? updated : valueOfField(body, order, types[order])
  return [...newest.values()]
    .map(({ found }) => found)
    .filter(({ body }) =>
      Object.entries(where).every(([name, test]) => {
        const value = valueOfField(body, name, types[name])
        if (test === null) return value === undefined
        if (typeof test !== "object") return value === test || (value === 0 && test === 0)
        const { from, to } = test as { from?: Value; to?: Value }
        return (
          value !== undefined &&
          (from === undefined || compareValues(value, from) >= 0) &&
          (to === undefined || compareValues(value, to) <= 0)
        )
      }),
    )
    .sort((a, b) => compareValues(keyOf(a), keyOf(b)) || compareTexts(a.id, b.id))
    .map(({ id }) => id)
    [direction === "asc" ? "slice" : "reverse"]()
}

function randomTypes(random: Random): FieldTypes {
  return Object.fromEntries(
    NAMES.filter(() => random.chance(0.7)).map((name) => [name, random.pick(["text", "number"] as const)]),
  )
}

function randomQuestion(random: Random, types: FieldTypes): Asked {
  const names = Object.keys(types)
  const valueFor = (name: string): string | number =>
    types[name] === "text" ? random.pick(TEXTS.slice(0, 6)) : random.pick(NUMBERS)
  const tests = names
    .filter(() => random.chance(0.4))
    .map((name): [string, unknown] => {
      if (random.chance(0.2)) return [name, null]
      if (random.chance(0.4)) return [name, valueFor(name)]
      return [
        name,
        {
          from: random.chance(0.6) ? valueFor(name) : undefined,
          to: random.chance(0.6) ? valueFor(name) : undefined,
        },
      ]
    })
  return {
    order: random.pick(["updated", ...names, ...names]),
    direction: random.pick(["asc", "desc"]),
    projectID: random.chance(0.4) ? random.pick(PROJECTS) : undefined,
    where: Object.fromEntries(tests),
  }
}

function randomBody(random: Random, id: string, project: string): Record<string, unknown> {
  const body: Record<string, unknown> = {
    id,
    projectID: project,
    time: { created: 1, updated: random.below(4) },
  }
  for (const name of NAMES)
    if (random.chance(0.8)) body[name] = random.pick<unknown>([...TEXTS, ...NUMBERS, ...ODD])
  if (random.chance(0.05)) body.padding = "y".repeat(1_050_000)
  return body
}

async function runSeed(seed: number): Promise<number> {
  const random = new Random(seed)
  const folder = tempFolder()
  const directories = [join(folder, "own")]
  // Half of the histories are of one root, of which the index alone answers.
  if (seed % 2 === 1) directories.push(join(folder, "other"))
  for (const directory of directories)
    for (const project of PROJECTS) mkdirSync(join(directory, "session", project), { recursive: true })
  const [own = "", ...alsoRead] = directories
  const open = (types: FieldTypes | undefined): { store: Store; types: FieldTypes } => ({
    store: new Store(
      resolveOptions({
        directory: own,
        alsoRead,
        backgroundIndex: false,
        durability: "relaxed",
        maxStaleness: seed % 4 === 2 ? 0.001 : 0,
        fields: types && { session: types },
      }),
      { filesOnly: seed % 8 === 7 },
    ),
    types: types ?? {},
  })
  // Several programs with declarations of their own, one of them with none.
  const stores = [open(randomTypes(random)), open(randomTypes(random)), open(undefined)]
  let compared = 0
  for (let step = 0; step < STEPS; step++) {
    const id = random.pick(IDS)
    const project = random.pick(PROJECTS)
    const at = random.below(stores.length)
    const { store, types } = stores[at] ?? open(undefined)
    const path = join(random.pick(directories), "session", project, `${id}.json`)
    const what = random.below(10)
    if (what < 3) writeFileSync(path, JSON.stringify(randomBody(random, id, project)))
    else if (what === 3) rmSync(path, { force: true })
    // Rarely: a file that may still be being written is waited for.
    else if (what === 4 && random.chance(0.1)) writeFileSync(path, '{"mood": "tor')
    else if (what === 5) await store.write(["session", project, id], randomBody(random, id, project))
    else if (what === 6 && at < 2) {
      await store.close()
      stores[at] = open(randomTypes(random))
    } else {
      const asked = randomQuestion(random, types)
      const wanted = expected(directories, types, asked)
      const options = asked as unknown as SessionListOptions
      expect([seed, step, asked, await Array.fromAsync(store.sessions.ids(options))]).toEqual([
        seed,
        step,
        asked,
        wanted,
      ])
      if (Object.keys(asked.where).length > 0) expect(await store.sessions.count(options)).toBe(wanted.length)
      compared++
    }
  }
  for (const { store } of stores) {
    if (seed % 8 !== 7) {
      await store.index()
      expect((await store.verify()).differences).toEqual([])
    }
    const { files } = store.health().answers
    if (seed % 8 !== 7) expect(files).toBe(0)
    await store.close()
  }
  rmSync(folder, { recursive: true, force: true })
  return compared
}

test(
  `in ${SEEDS} random histories every listing by declared fields is what reading all bodies gives`,
  async () => {
    const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(ONLY)]
    let compared = 0
    for (const seed of seeds) compared += await runSeed(seed)
    expect(compared).toBeGreaterThan((seeds.length * STEPS) / 5)
  },
  LONG ? 3_600_000 : 120_000,
)
