import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { createId, type Problem, type Store } from "../../src/index.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"
import type { Variant } from "../support/variants.ts"

const SYNCTHING = ".sync-conflict-20260101-120000-ABCDEFG"
const DROPBOX = " (Bob's conflicted copy 2026-01-01)"

/** A session, and beside each of its files a copy that a synchroniser left. */
function conflicted(directory: string, mark: string): { id: string; copies: string[] } {
  const [id, messageID, partID] = [createId("session"), createId("message"), createId("part")]
  const bodies: Record<string, unknown> = {
    [`session/proj/${id}`]: session(id, { title: "needle" }),
    [`message/${id}/${messageID}`]: message(messageID, id, 1000),
    [`part/${messageID}/${partID}`]: part(partID, messageID, "needle"),
    [`todo/${id}`]: [{ content: "rest", status: "pending" }],
    "project/proj": { id: "proj", worktree: "/home/dev/app", time: { created: 1 } },
  }
  const copies: string[] = []
  for (const [path, body] of Object.entries(bodies)) {
    put(directory, `${path}.json`, body)
    copies.push(put(directory, `${path}${mark}.json`, body))
  }
  return { id, copies: copies.sort() }
}

/** How many records the store says it has, asked in every way there is. */
async function counts(store: Store, id: string): Promise<unknown> {
  const messages = await all(store.messages.ids(id))
  const [messageID = ""] = messages
  const { kinds } = await store.stats()
  return {
    sessions: [
      (await all(store.sessions.ids())).length,
      (await all(store.sessions.list())).length,
      (await store.sessions.page()).items.length,
      await store.sessions.count(),
      await store.sessions.count({ search: "needle" }),
      await store.count(["session"]),
      kinds.session?.files ?? 0,
    ],
    messages: [messages.length, await store.messages.count(id), await store.count(["message"])],
    parts: [
      (await all(store.parts.ids(messageID))).length,
      await store.parts.count(messageID),
      await store.count(["part"]),
      (await all(store.messages.stream(id)))[0]?.parts.length,
    ],
    others: [
      await store.count(["todo"]),
      (await all(store.projects.list())).length,
      (await all(store.orphans())).length,
    ],
    found: (await all(store.search("needle"))).length,
  }
}

const ONE = {
  sessions: [1, 1, 1, 1, 1, 1, 1],
  messages: [1, 1, 1],
  parts: [1, 1, 1, 1],
  others: [1, 1, 0],
  found: 2,
}

/** What synchronisers leave of records that were changed in two places: told of, and no records. */
export function syncCopyContract({ open }: Variant): void {
  test.each([SYNCTHING, DROPBOX])("copies named %j are problems and no records", async (mark) => {
    const told: Problem[] = []
    await using store = await open(tempFolder(), { onProblem: (problem) => told.push(problem) })
    const { id, copies } = conflicted(store.directory, mark)
    // At first, once the stamps prove something, and when everything is known.
    for (let round = 0; round < 3; round++) {
      expect(await counts(store, id)).toEqual(ONE)
      const problems = await all(store.problems())
      expect(problems.map(({ code, path }) => `${code} ${path}`).sort()).toEqual(
        copies.map((path) => `CONFLICT ${path}`),
      )
      await untilProven()
    }
    const paths = told.map(({ path }) => path).sort()
    expect(new Set(paths)).toEqual(new Set(copies))
    expect(copies.every((path) => fs.existsSync(path))).toBe(true)
  })

  test("a copy can be looked at by its name and removed, not written; put in the record's place it is the record", async () => {
    await using store = await open(tempFolder())
    const { id, copies } = conflicted(store.directory, SYNCTHING)
    const name = `${id}${SYNCTHING}`
    expect(await store.read<{ title: string }>(["session", "proj", name])).toMatchObject({ title: "needle" })
    expect(await failure(store.write(["session", "proj", name], session(name)))).toMatchObject({
      code: "INVALID_KEY",
    })
    expect(await all(store.sessions.ids())).toEqual([id])
    const file = join(store.directory, "session/proj", `${id}.json`)
    fs.rmSync(file)
    expect(await counts(store, id)).toMatchObject({ sessions: [0, 0, 0, 0, 0, 0, 0] })
    fs.renameSync(join(store.directory, "session/proj", `${name}.json`), file)
    expect(await counts(store, id)).toEqual(ONE)
    expect(await all(store.problems())).toHaveLength(copies.length - 1)
    for (const key of [
      ["message", id],
      ["part", (await all(store.messages.ids(id)))[0] ?? ""],
      ["todo"],
      ["project"],
    ])
      for (const entry of fs.readdirSync(join(store.directory, ...key)))
        if (entry.includes("sync-conflict"))
          expect(await store.remove([...key, entry.slice(0, -5)])).toBe(true)
    expect(await all(store.problems())).toEqual([])
    expect(await counts(store, id)).toEqual(ONE)
  })

  test("whose record is left as a copy alone is no orphan that a prune may take", async () => {
    await using store = await open(tempFolder())
    const { directory } = store
    const { id } = conflicted(directory, SYNCTHING)
    const [messageID = ""] = await all(store.messages.ids(id))
    const lost = conflicted(directory, DROPBOX)
    const [only = ""] = await all(store.messages.ids(lost.id))
    fs.rmSync(join(directory, "session/proj", `${lost.id}.json`))
    fs.rmSync(join(directory, "message", id, `${messageID}.json`))
    put(directory, "message/ses_gone/msg_gone.json", message("msg_gone", "ses_gone", 1))
    put(directory, "part/msg_none/prt_gone.json", part("prt_gone", "msg_none"))
    const taken = await all(store.prune({ orphans: true, purge: true }))
    expect(taken.map((each) => each.id).sort()).toEqual(["msg_none", "ses_gone"])
    expect(await all(store.parts.ids(messageID))).toHaveLength(1)
    expect(await all(store.messages.ids(lost.id))).toEqual([only])
  })

  test("what a removal leaves of a session since it is no record is told of", async () => {
    await using store = await open(tempFolder())
    const { id, copies } = conflicted(store.directory, DROPBOX)
    const removal = await store.sessions.remove(id)
    expect(removal).toMatchObject({ sessions: 1, messages: 1, parts: 1, sideFiles: 1 })
    const within = copies.filter((path) => /\/(message|part)\//.test(path))
    expect(removal.left.map(({ code, path }) => `${code} ${path}`).sort()).toEqual(
      within.map((path) => `CONFLICT ${path}`),
    )
    expect(within.every((path) => fs.existsSync(path))).toBe(true)
  })
}
