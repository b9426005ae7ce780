import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { opencodeDatabase, openStore, type RootProvider, transcripts } from "../../src/index.ts"
import { bytecodeOf } from "../support/bytecode.ts"
import { copyOfTranscripts } from "../support/home.ts"
import { Random } from "../support/random.ts"
import { snapshot, tempFolder, treePath } from "../support/temp.ts"
import { deathsOf } from "./deaths.ts"

const childPath = bytecodeOf(join(import.meta.dir, "import-child.ts"))
const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
/** So many die in one process. */
const AT_A_TIME = 25
const FIXTURE = treePath("opencode-1.18.34")

/** The files of records that a store holds. */
function records(directory: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(snapshot(directory)).filter(([path]) =>
      /^(?:session|message|part|todo|project)\/.*\.json$/.test(path),
    ),
  )
}

interface Source {
  readonly kills: number
  /** Copies the fixture; gives what `import-child.ts` is to import from. */
  readonly make: () => string
  readonly root: (place: string) => RootProvider
  /** The exports of all sessions, where something else than this module tells them. */
  readonly told?: (id: string) => string
}

const SOURCES: readonly (readonly [string, Source])[] = [
  [
    "a database",
    {
      kills: LONG ? 200 : 25,
      make() {
        const database = join(tempFolder(), "opencode.db")
        fs.copyFileSync(join(FIXTURE, "opencode.db"), database)
        return database
      },
      root: opencodeDatabase,
      told: (id) => fs.readFileSync(join(FIXTURE, "answers", `export-${id}.json`), "utf8"),
    },
  ],
  [
    "transcripts",
    {
      // Each costs an import of 440 records.
      kills: LONG ? 100 : 6,
      make: () => copyOfTranscripts("codex"),
      root: (place) => transcripts("codex", place),
    },
  ],
]

test.each(SOURCES)(
  "an import from %s killed at random steps and run again ends as one that was not",
  async (_, source) => {
    const place = source.make()
    const whole = join(tempFolder(), "store")
    const [{ steps = 0 } = {}] = await deathsOf(childPath(), [place], [{ directory: whole, killAt: 0 }])
    expect(steps).toBeGreaterThan(500)
    const wanted = records(whole)
    expect(Object.keys(wanted).length).toBeGreaterThan(100)
    const exports = await exportsOf(whole)
    for (const [id, text] of exports) if (source.told) expect(text).toBe(source.told(id))
    const random = new Random(31)
    // One in each stretch of the way.
    const stretch = Math.floor((steps * 0.9) / source.kills)
    const mortals = Array.from({ length: source.kills }, (_, at) => ({
      directory: join(tempFolder(), "store"),
      killAt: 1 + at * stretch + random.below(stretch),
    }))
    const left = new Set<number>()
    while (mortals.length > 0) {
      const some = mortals.splice(-AT_A_TIME)
      const fates = await deathsOf(childPath(), [place], some)
      expect(fates.filter(({ died }) => died)).toHaveLength(some.length)
      for (const { directory } of some) {
        left.add(Object.keys(fs.existsSync(directory) ? records(directory) : {}).length)
        // A session that is there is whole.
        for (const [id, text] of await exportsOf(directory)) expect(text).toBe(exports.get(id) ?? "nothing")
        await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
        expect((await store.importFrom(source.root(place))).left).toEqual([])
        expect(records(directory)).toEqual(wanted)
        fs.rmSync(dirname(directory), { recursive: true, force: true })
      }
    }
    // They were killed all along the way.
    expect(left.size).toBeGreaterThan(4)
  },
  180_000,
)

async function exportsOf(directory: string): Promise<Map<string, string>> {
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  const exports = new Map<string, string>()
  for await (const { id } of store.sessions.list())
    exports.set(id, (await Array.fromAsync(store.export(id))).join(""))
  return exports
}
