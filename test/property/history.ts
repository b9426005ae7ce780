import { rmSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { fileSystem } from "../../src/file/system.ts"
import { noteClock } from "../../src/file/torn.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { ClockedFileSystem, type ClockOptions } from "../support/clocked-fs.ts"
import type { Truth } from "../support/oracle.ts"
import { Random } from "../support/random.ts"
import { answers, PROJECTS, SESSIONS, World } from "../support/world.ts"
import { find, randomTerms, scan } from "./searches.ts"

const MS = 1_000_000n
const SECOND = 1_000n * MS
const DAY = 86_400n * SECOND

const END_OF_TIME = 2n ** 62n

const CLOCKS: readonly (ClockOptions & { readonly name: string; readonly torn: boolean })[] = [
  { name: "4 ms ticks", granularityNs: 4n * MS, offsetNs: -DAY, torn: true },
  { name: "1 s ticks", granularityNs: SECOND, offsetNs: -DAY, torn: true },
  { name: "2 s ticks", granularityNs: 2n * SECOND, offsetNs: DAY, torn: true },
  { name: "1 ns ticks", granularityNs: 1n, offsetNs: -DAY, torn: true },
  { name: "4 ms ticks, 5 s behind", granularityNs: 4n * MS, offsetNs: -5n * SECOND, torn: false },
  { name: "1 s ticks, 5 s ahead", granularityNs: SECOND, offsetNs: 5n * SECOND, torn: false },
]

/** What one history came to. */
export interface HistoryResult {
  readonly steps: number
  readonly comparisons: number
  /** Searches held against a plain look at every title and text. */
  readonly searches: number
  /** Listings in whose middle another program changed something. */
  readonly disturbed: number
}

/** A listing that was no state of the files; the message tells how to have it again. */
export class Difference extends Error {}

/**
 * One random history: our own operations, another program's changes, time passing, and other programs stepping in between
 * any two system calls of ours. After every step the store's answers are held against a fresh look at the files; an answer
 * given while files changed must be one of the states they were in between its beginning and its end. After every few steps titles and
 * texts are searched for substrings of what there is and of what there was, and at the end the index must be what its files say.
 */
export async function runHistory(folder: string, seed: number, steps: number): Promise<HistoryResult> {
  const random = new Random(seed)
  const clock = CLOCKS[seed % CLOCKS.length] ?? random.pick(CLOCKS)
  const device = new ClockedFileSystem(folder, clock)
  // Torn files would be waited for at every step, while nobody goes on writing them.
  if (clock.torn) noteClock(device.fs, fileSystem.touch(join(folder, "device")).device, END_OF_TIME)
  const directory = join(folder, "store")
  const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
  let store = new Store(options, { fs: device.fs })
  const world = new World(directory, random, clock.torn)
  let comparisons = 0
  let searches = 0
  let disturbed = 0
  let before = world.searchable()
  const differ = (what: string, said: unknown, states: readonly unknown[]): Difference =>
    new Difference(
      `seed ${seed} (${clock.name}): ${what}\nsaid ${JSON.stringify(said)}\nwas ${states.map((state) => JSON.stringify(state)).join("\nor  ")}\nafter\n  ${world.log.slice(-12).join("\n  ")}`,
    )

  const compare = async (): Promise<void> => {
    const said = await answers(store)
    const truth = world.truth()
    comparisons++
    if (!isDeepStrictEqual(said, truth)) throw differ("the answers differ from the files", said, [truth])
  }

  const compareSearches = async (): Promise<void> => {
    const there = world.searchable()
    const project = random.pick(PROJECTS)
    for (const source of [there, before]) {
      const terms = randomTerms(random, source)
      const truth = scan(there, terms, project)
      // Nothing changes between the two: the second goes by what the first has put into the index.
      for (const fresh of [true, false]) {
        const said = await find(store, terms, project, fresh)
        searches++
        if (!isDeepStrictEqual(said, truth))
          throw differ(`a search for ${JSON.stringify(terms)} differs from a scan`, said, [truth])
      }
    }
    before = there
  }

  /** One listing while another program changes files between our system calls. */
  const listDisturbed = async (): Promise<void> => {
    const ask = random.pick(QUESTIONS)
    const states: unknown[] = [ask.truth(world.truth())]
    const rate = random.pick([0.02, 0.1, 0.4])
    device.before = () => {
      if (!random.chance(rate)) return
      world.foreignChange()
      if (random.chance(0.1)) device.advance(3_000n * MS)
      states.push(ask.truth(world.truth()))
    }
    const before = store.health().answers.files
    const said = await ask.ask(store)
    device.before = () => {}
    if (states.length > 1) disturbed++
    // A scan, which answers where the files never came to rest, is right record by record and not as a whole.
    if (store.health().answers.files > before) return
    comparisons++
    if (!states.some((state) => isDeepStrictEqual(said, state)))
      throw differ(`${ask.name} answered what the files never were`, said, states)
  }

  for (let step = 0; step < steps; step++) {
    const kind = random.below(100)
    if (kind < 40) world.foreignChange()
    else if (kind < 60) await world.ownChange(store)
    else if (kind < 70) device.advance(BigInt(random.pick([1, 50, 150, 3000])) * MS)
    else if (kind < 80) await listDisturbed()
    else if (kind < 88) {
      // Another program between any two calls of a write or an index of ours.
      device.before = () => {
        if (random.chance(0.1)) world.foreignChange()
        if (random.chance(0.02)) device.advance(3_000n * MS)
      }
      if (random.chance(0.7)) await Promise.all([world.ownChange(store), world.ownChange(store)])
      else await store.index()
      device.before = () => {}
    } else if (kind < 90) await Promise.all([store.index(), world.ownChange(store), world.ownChange(store)])
    else if (kind < 92) {
      await store.close()
      if (random.chance(0.2)) rmSync(join(directory, ".sessiondex"), { recursive: true, force: true })
      store = new Store(options, { fs: device.fs })
    } else if (kind < 93) {
      if (random.chance(0.5)) await store.rebuild()
      else await store.verify({ repair: true })
    }
    if (random.chance(0.5)) await compare()
    if (random.chance(0.1)) await compareSearches()
  }
  await compare()
  await compareSearches()
  const { differences } = await store.verify()
  if (differences.length > 0) throw differ("verify finds differences", differences, [[]])
  await store.close()
  return { steps, comparisons, searches, disturbed }
}

const QUESTIONS: readonly {
  name: string
  ask(store: Store): Promise<unknown>
  truth(truth: Truth): unknown
}[] = [
  {
    name: "all sessions",
    ask: (store) => places(store),
    truth: ({ sessions }) => sessions.map((place) => place.split("/")[1]),
  },
  {
    name: "one project's sessions",
    ask: (store) => Array.fromAsync(store.sessions.ids({ projectID: PROJECTS[0] })),
    truth: ({ projects }) => projects[PROJECTS[0]],
  },
  {
    name: "the roots' number",
    ask: (store) => store.sessions.count({ parentID: null }),
    truth: ({ roots }) => roots,
  },
  {
    name: "the number of titles with a word",
    ask: (store) => store.sessions.count({ search: "pars" }),
    truth: ({ parsers }) => parsers,
  },
  {
    name: "a session's messages",
    ask: (store) => Array.fromAsync(store.messages.ids(SESSIONS[0])),
    truth: ({ messages }) => messages[SESSIONS[0]]?.map((line) => line.split(" ")[0]),
  },
  {
    name: "a session's message count",
    ask: (store) => store.messages.count(SESSIONS[0]),
    truth: ({ counts }) => counts[SESSIONS[0]],
  },
]

/** Ids only: bodies are read when they are asked for, later than the order is fixed. */
async function places(store: Store): Promise<string[]> {
  return Array.fromAsync(store.sessions.ids())
}
