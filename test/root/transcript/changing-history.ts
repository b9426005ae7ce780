import { rmSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { openStore, type Store } from "../../../src/index.ts"
import { compareText } from "../../../src/record/order.ts"
import { messageTexts, partTexts } from "../../../src/record/search-text.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { ClockedFileSystem, type ClockOptions } from "../../support/clocked-fs.ts"
import { Random } from "../../support/random.ts"
import { ChangingHome } from "./changing-home.ts"
import { type HomeKit, WORDS } from "./changing-kits.ts"
import { plainPlace } from "./place-parse.ts"
import type { PlainSession } from "./plain-parse.ts"

const MS = 1_000_000n
const SECOND = 1_000n * MS
const CLOCKS: readonly ClockOptions[] = [
  { granularityNs: 4n * MS, offsetNs: 0n },
  { granularityNs: SECOND, offsetNs: -5n * SECOND },
  { granularityNs: 2n * SECOND, offsetNs: 0n },
  { granularityNs: 1n, offsetNs: 0n },
]

/** What one history came to. */
export interface HistoryResult {
  readonly steps: number
  readonly comparisons: number
  readonly searches: number
  /** Questions in whose middle a file changed. */
  readonly disturbed: number
  /** Calls that ended as if the process had been killed. */
  readonly killed: number
  /** Sessions that were compared, in all. */
  readonly sessions: number
}

class Killed extends Error {}

/** Has the next step of a statement that changes something end as a kill would, where it is set. */
export const sqlite: { step: (() => void) | undefined } = { step: undefined }

/**
 * One random history of a home: files change, time passes, and one of three stores is asked at random moments: two on one index, which is
 * now and then reopened, deleted, or left in the middle of its work, and one without any. After a change whatever a store answers has
 * to equal what a plain parse of all files gives.
 */
export async function runHistory(
  folder: string,
  kit: HomeKit,
  seed: number,
  steps: number,
): Promise<HistoryResult> {
  const random = new Random(seed)
  const device = new ClockedFileSystem(folder, CLOCKS[seed % CLOCKS.length] ?? random.pick(CLOCKS))
  const home = new ChangingHome(join(folder, "home"), kit, random)
  const { place } = home
  const open = (at: number): Promise<Store> =>
    openStore({
      directory: join(folder, `store-${at}`),
      indexPath: join(folder, "index"),
      backgroundIndex: false,
      durability: "relaxed",
      roots: [transcriptRoot(kit.agent, place, { fs: device.fs, filesOnly: at === 2 })],
    })
  const stores = await Promise.all([0, 1, 2].map(open))
  const result = { steps: 0, comparisons: 0, searches: 0, disturbed: 0, killed: 0, sessions: 0 }
  const any = (): Store => stores[random.pick([0, 0, 0, 1, 1, 2])] ?? random.pick(stores)
  const modifiedOf = (path: string): number => Number((device.fs.lstat(path)?.mtimeNs ?? 0n) / MS)
  const truth = (): PlainSession[] => plainPlace(kit.agent, place, modifiedOf).sort(newestFirst)
  const differ = (what: string, said: unknown, was: unknown): Error =>
    new Error(
      `${kit.agent.source}, seed ${seed}, step ${result.steps}: ${what}\nsaid ${text(said)}\nwas  ${text(was)}\nafter\n  ${home.log.slice(-10).join("\n  ")}`,
    )
  const hold = (what: string, said: unknown, was: unknown): void => {
    if (isDeepStrictEqual(plain(said), plain(was))) return
    const [a, b] = [said, was].map((list) => (Array.isArray(list) ? list : []))
    const at = a?.findIndex((one, place) => !isDeepStrictEqual(plain(one), plain(b?.[place]))) ?? -1
    throw at < 0 ? differ(what, said, was) : differ(`${what}, at ${at}`, a?.[at], b?.[at])
  }

  const compare = async (store: Store): Promise<void> => {
    const which = ` of store ${stores.indexOf(store)}`
    const was = truth()
    const infos = was.map(({ info }) => info)
    result.comparisons++
    result.sessions += was.length
    if (random.chance(0.3)) {
      const limit = 1 + random.below(3)
      const { items } = await store.sessions.page({ limit })
      hold(`a page${which}`, items, infos.slice(0, limit))
    }
    hold(`the list${which}`, await Array.fromAsync(store.sessions.list()), infos)
    hold(`the count${which}`, await store.sessions.count(), was.length)
    const project = random.pick(infos.length > 0 ? infos : [{ projectID: "none" }]).projectID
    hold(
      `a project's list${which}`,
      await Array.fromAsync(store.sessions.ids({ projectID: String(project) })),
      infos.filter(({ projectID }) => projectID === project).map(({ id }) => id),
    )
    for (const { info, messages } of was) {
      const id = String(info.id)
      const all = [...messages].sort((a, b) => newestMessageFirst(a.info, b.info))
      hold(`session ${id}${which}`, await store.sessions.get(id), info)
      hold(`messages of ${id}${which}`, await Array.fromAsync(store.messages.stream(id)), all)
      hold(`the count of ${id}${which}`, await store.messages.count(id), all.length)
      const { items } = await store.messages.page(id, { limit: 2 })
      hold(
        `a page of ${id}${which}`,
        items,
        all.slice(0, 2).map(({ info }) => info),
      )
      const one = all.length > 0 ? random.pick(all) : undefined
      if (one) hold(`parts${which}`, await Array.fromAsync(store.parts.list(String(one.info.id))), one.parts)
    }
  }

  const search = async (store: Store): Promise<void> => {
    const was = truth()
    const term = `${random.pick(WORDS).slice(random.below(2))}${random.pick(["", " ", ` ${random.pick(WORDS).slice(0, 2)}`])}`
    const wanted = term.toLowerCase()
    const isIn = (texts: Iterable<string>): boolean =>
      [...texts].some((one) => one.toLowerCase().includes(wanted))
    const found = was
      .flatMap(({ info, messages }) => messages.map((message) => ({ session: info.id, ...message })))
      .filter(({ info, parts }) => isIn(messageTexts(info)) || parts.some((part) => isIn(partTexts(part))))
      .sort((a, b) => newestMessageFirst(a.info, b.info))
    result.searches++
    const which = `${JSON.stringify(term)} in store ${stores.indexOf(store)}`
    for (const fresh of [false, true]) {
      const hits = await Array.fromAsync(store.search(`"${term}"`, { in: "text", limit: 10_000, fresh }))
      hold(
        `${fresh ? "fresh " : ""}search for ${which}`,
        hits.map(({ sessionID, messageID }) => `${sessionID}/${messageID}`),
        found.map(({ session, info }) => `${session}/${info.id}`),
      )
    }
    const titles = await Array.fromAsync(store.search(`"${term}"`, { in: "title", limit: 10_000 }))
    hold(
      `titles with ${which}`,
      titles.map(({ sessionID }) => sessionID),
      was.filter(({ info }) => isIn([String(info.title)])).map(({ info }) => info.id),
    )
  }

  /** A question that a kill ends, between any two system calls or statements. */
  const kill = async (): Promise<void> => {
    let left = random.below(120)
    const step = (): void => {
      if (left-- > 0) return
      device.before = () => {}
      sqlite.step = undefined
      result.killed++
      throw new Killed()
    }
    device.before = step
    sqlite.step = step
    const at = random.below(2)
    const store = stores[at]
    await (random.chance(0.5) ? store?.index() : Array.fromAsync(store?.sessions.list() ?? []))?.catch(
      (error: unknown) => {
        if (!isKill(error)) throw error
      },
    )
    device.before = () => {}
    sqlite.step = undefined
    await reopen(at)
  }

  const reopen = async (at: number): Promise<void> => {
    await stores[at]?.close()
    stores[at] = await open(at)
  }

  /** A question while files change, which has only to be answered; whatever it left has to be right after. */
  const disturb = async (): Promise<void> => {
    let changes = 0
    device.before = () => {
      if (!random.chance(0.05)) return
      device.before = () => {}
      home.change()
      changes++
    }
    const store = any()
    if (random.chance(0.5)) await Array.fromAsync(store.sessions.list())
    else await Array.fromAsync(store.search(random.pick(WORDS), { in: "text", limit: 10, fresh: true }))
    device.before = () => {}
    if (changes > 0) result.disturbed++
  }

  try {
    for (; result.steps < steps; result.steps++) {
      const kind = random.below(100)
      if (kind < 70) home.change()
      else if (kind < 78) device.advance(BigInt(random.pick([1, 50, 150, 3000])) * MS)
      else if (kind < 84) await disturb()
      else if (kind < 88) await kill()
      else if (kind < 91) {
        if (random.chance(0.2)) rmSync(join(folder, "index"), { recursive: true, force: true })
        await reopen(random.below(3))
      } else if (kind < 93) {
        const store = stores[random.below(2)]
        if (random.chance(0.3)) await store?.rebuild()
        else await Promise.all([stores[0]?.index(), stores[1]?.sessions.count()])
      }
      if (random.chance(0.4)) await compare(any())
      if (random.chance(0.1)) await search(any())
    }
    for (const store of stores) {
      await compare(store)
      await search(store)
    }
    for (const store of stores.slice(0, 2)) {
      const { ok, differences } = await store.verify()
      hold("verify", { ok, differences }, { ok: true, differences: [] })
    }
  } finally {
    device.before = () => {}
    sqlite.step = undefined
    for (const store of stores) await store.close()
  }
  return result
}

function isKill(error: unknown): boolean {
  return (
    error instanceof Killed || (error instanceof Error && error.cause !== undefined && isKill(error.cause))
  )
}

function newestFirst(a: PlainSession, b: PlainSession): number {
  const updated = ({ info }: PlainSession): number => (info.time as { updated: number }).updated
  return updated(b) - updated(a) || compareText(String(b.info.id), String(a.info.id))
}

function newestMessageFirst(a: PlainSession["info"], b: PlainSession["info"]): number {
  const created = ({ time }: PlainSession["info"]): number => (time as { created: number }).created
  return created(b) - created(a) || compareText(String(b.id), String(a.id))
}

/** As JSON has it. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

function text(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 3_000)
}
