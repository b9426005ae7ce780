import { Database } from "bun:sqlite"
import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { packStamp } from "../../src/file/stamp.ts"
import type { Problem } from "../../src/index.ts"
import { resolveOptions, type StoreOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { ClockedFileSystem } from "../support/clocked-fs.ts"
import { Random } from "../support/random.ts"
import { all, failure, message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

const RECORDS = 9
const SECOND = 1_000_000_000n

/** The two listings that have pages, alike. */
const KINDS = [
  {
    kind: "session",
    folder: "p",
    put: (directory: string, id: string, time: number) =>
      put(
        directory,
        `session/p/${id}.json`,
        session(id, { projectID: "p", time: { created: time, updated: time } }),
      ),
    page: (store: Store, options: { limit: number; cursor?: string | undefined }) =>
      store.sessions.page(options),
    list: (store: Store, options: { limit?: number; direction?: "asc" | "desc" }) =>
      store.sessions.list(options),
    get: (store: Store, id: string) => store.sessions.get(id),
  },
  {
    kind: "message",
    folder: "ses_1",
    put: (directory: string, id: string, time: number) =>
      put(directory, `message/ses_1/${id}.json`, message(id, "ses_1", time)),
    page: (store: Store, options: { limit: number; cursor?: string | undefined }) =>
      store.messages.page("ses_1", options),
    list: (store: Store, options: { limit?: number; direction?: "asc" | "desc" }) =>
      store.messages.list("ses_1", options),
    get: (store: Store, id: string) => store.messages.get(id),
  },
] as const

const ids = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id)

describe.each(KINDS)("of $kind records whose rows say that they can be read and are wrong", (of) => {
  const IDS = Array.from({ length: RECORDS }, (_, i) => `${of.kind.slice(0, 3)}_${i}`)

  /** An indexed folder of records, oldest first, in which the files of some are broken; and what makes the rows say that they are not. */
  async function lying(broken: readonly string[]) {
    const folder = tempFolder()
    const directory = join(folder, "store")
    // A day away from our clock, where torn files are not waited for.
    const device = new ClockedFileSystem(folder, { granularityNs: 1n, offsetNs: -86_400n * SECOND })
    const open = (options: Partial<StoreOptions> = {}): Store =>
      new Store(resolveOptions({ directory, backgroundIndex: false, ...options }), { fs: device.fs })
    for (const [i, id] of IDS.entries()) {
      if (broken.includes(id)) put(directory, `${of.kind}/${of.folder}/${id}.json`, '{"broken":')
      else of.put(directory, id, i)
    }
    device.advance(3n * SECOND)
    const lie = (): void => {
      const database = new Database(join(directory, INDEX))
      const times = of.kind === "session" ? "created = ?3, updated = ?3" : "created = ?3"
      const update = database.query(
        `update ${of.kind}s set problem = null, problemMessage = null, stamp = ?1, size = ?2, ${times} where id = ?4`,
      )
      for (const [i, id] of IDS.entries()) {
        const stat = device.fs.lstat(join(directory, of.kind, of.folder, `${id}.json`))
        if (stat) update.run(packStamp(stat, true), stat.size, i, id)
      }
      database.close()
    }
    await using store = open()
    await store.index()
    return { directory, open, lie }
  }

  test("pages and lists are filled from what can be read, there and back, whichever are broken", async () => {
    const random = new Random(5)
    const broken = IDS.filter(() => random.chance(0.5))
    const readable = IDS.filter((id) => !broken.includes(id)).reverse()
    const { open, lie } = await lying(broken)
    for (const limit of [1, 2, 4]) {
      lie()
      await using store = open()
      const there: string[][] = []
      let page = await of.page(store, { limit })
      for (; ; page = await of.page(store, { limit, cursor: page.older })) {
        there.push(ids(page.items))
        if (!page.older) break
      }
      const pages = Array.from({ length: Math.ceil(readable.length / limit) }, (_, i) =>
        readable.slice(i * limit, (i + 1) * limit),
      )
      expect(there).toEqual(pages)
      lie()
      const back = [ids(page.items)]
      while (page.newer) {
        page = await of.page(store, { limit, cursor: page.newer })
        back.unshift(ids(page.items))
      }
      expect(back.flat()).toEqual(readable)
      for (const direction of ["desc", "asc"] as const) {
        lie()
        const listed = ids(await all<{ id: string }>(of.list(store, { limit, direction })))
        const wanted = direction === "desc" ? readable : readable.toReversed()
        expect(listed).toEqual(wanted.slice(0, limit))
      }
    }
  })

  test.each(["page", "list", "get"])("%s has the row learn it, and tells of it", async (how) => {
    const broken = [IDS[2] ?? "", IDS[8] ?? ""]
    const { directory, open, lie } = await lying(broken)
    lie()
    const told: Problem[] = []
    await using store = open({
      // What was read must not be trusted for that either.
      maxStaleness: 60_000,
      onProblem: (problem) => told.push(problem),
    })
    await store.sessions.count({ archived: "exclude" })
    await all(store.messages.ids("ses_1"))
    expect(told).toEqual([])
    if (how === "page") await of.page(store, { limit: RECORDS })
    if (how === "list") await all<unknown>(of.list(store, {}))
    if (how === "get")
      for (const id of broken) expect(await failure(of.get(store, id))).toMatchObject({ code: "CORRUPT" })
    const paths = broken.map((id) => join(directory, of.kind, of.folder, `${id}.json`))
    expect(told.map(({ path }) => path).sort()).toEqual(paths)
    expect((await all(store.problems())).map(({ path }) => path).sort()).toEqual(paths)
    const left = of.kind === "session" ? store.sessions.ids() : store.messages.ids("ses_1")
    expect(await all(left)).toEqual(IDS.filter((id) => !broken.includes(id)).reverse())
  })
})
