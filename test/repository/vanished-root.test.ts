import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Problem, Store } from "../../src/index.ts"
import { Random } from "../support/random.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { variants } from "../support/variants.ts"

function putSession(directory: string, id: string, updated: number, messages: readonly string[]): void {
  put(
    directory,
    `session/p/${id}.json`,
    session(id, { title: `${id} of ${updated}`, projectID: "p", time: { created: 1, updated } }),
  )
  for (const messageID of messages) {
    put(directory, `message/${id}/${messageID}.json`, message(messageID, id, 1))
    put(
      directory,
      `part/${messageID}/prt_${updated}.json`,
      part(`prt_${updated}`, messageID, `needle ${updated}`),
    )
  }
}

/** How a folder that is read beside the store can be gone: gives what brings it back. */
const GONE: Record<string, (folder: string) => () => void> = {
  "is removed": (folder) => {
    fs.renameSync(folder, `${folder}.away`)
    return () => fs.renameSync(`${folder}.away`, folder)
  },
  "is an empty mount point": (folder) => {
    fs.renameSync(folder, `${folder}.away`)
    fs.mkdirSync(folder)
    return () => {
      fs.rmdirSync(folder)
      fs.renameSync(`${folder}.away`, folder)
    }
  },
  "has a link of sessions to a disk that is not there": (folder) => {
    fs.renameSync(join(folder, "session"), `${folder}.away`)
    fs.symlinkSync(`${folder}.nowhere`, join(folder, "session"))
    return () => {
      fs.unlinkSync(join(folder, "session"))
      fs.renameSync(`${folder}.away`, join(folder, "session"))
    }
  },
}

/** What is asked of a store about one session. */
const QUESTIONS: Record<string, (store: Store, id: string) => Promise<unknown>> = {
  get: (store, id) => store.sessions.get(id),
  origin: (store, id) => store.sessions.origin(id),
  update: (store, id) => store.sessions.update(id, (draft) => ({ ...draft, title: "changed" })),
  messages: (store, id) => all(store.messages.list(id)),
  stream: (store, id) => all(store.messages.stream(id)),
  count: (store, id) => store.messages.count(id),
  export: (store, id) => all(store.export(id)),
  "a message": (store, id) => store.messages.get(["message", id, `msg_${id}`]),
}

for (const { name, open } of variants.slice(0, 2))
  for (const [how, goAway] of Object.entries(GONE)) {
    test(`${name}: a folder beside the store that ${how} is told of, and nothing older stands in for it`, async () => {
      const directory = tempFolder()
      const backup = join(tempFolder(), "backup")
      putSession(directory, "ses_old", 100, ["msg_ses_old"])
      putSession(backup, "ses_old", 500, ["msg_ses_old", "msg_new"])
      putSession(backup, "ses_only", 400, ["msg_ses_only"])
      putSession(directory, "ses_own", 300, ["msg_ses_own"])
      putSession(backup, "ses_own", 200, ["msg_ses_own"])
      const told: Problem[] = []
      await using store = await open(directory, {
        alsoRead: [backup],
        onProblem: (problem) => told.push(problem),
      })
      const ids = async (): Promise<string[]> => all(store.sessions.ids())
      expect(await ids()).toEqual(["ses_old", "ses_only", "ses_own"])
      const hits = async (): Promise<string[]> =>
        (await all(store.search("needle", { fresh: true }))).map(({ snippet }) => snippet).sort()
      const found = await hits()
      expect(found).toHaveLength(4)
      expect(told).toEqual([])
      const comeBack = goAway(backup)
      expect(await ids()).toEqual(["ses_own"])
      expect(told).toMatchObject([{ path: backup, code: "NOT_FOUND" }])
      expect((await store.sessions.page()).items.map(({ id }) => id)).toEqual(["ses_own"])
      expect(await store.sessions.count({ parentID: null })).toBe(1)
      for (const [question, ask] of Object.entries(QUESTIONS)) {
        for (const id of ["ses_old", "ses_only"])
          expect([question, id, await failure(ask(store, id))]).toMatchObject([
            question,
            id,
            { code: "UNREADABLE", path: backup },
          ])
        await ask(store, "ses_own")
      }
      expect(await failure(store.sessions.get("ses_unknown"))).toMatchObject({ code: "UNREADABLE" })
      expect(await hits()).toEqual(["needle 300"])
      expect((await store.usage()).reduce((sum, { messages }) => sum + messages, 0)).toBe(1)
      expect(await all(store.problems())).toContainEqual(
        expect.objectContaining({ path: backup, code: "NOT_FOUND" }),
      )
      // What the store does not need it for goes on.
      await store.sessions.write(session("ses_new", { projectID: "p", time: { created: 1, updated: 900 } }))
      await store.messages.write(message("msg_first", "ses_newer", 1))
      expect(await ids()).toEqual(["ses_new", "ses_own"])
      expect(told.filter(({ path }) => path === backup)).toHaveLength(1)
      comeBack()
      expect(await ids()).toEqual(["ses_new", "ses_old", "ses_only", "ses_own"])
      expect(await store.sessions.get("ses_old")).toMatchObject({ title: "ses_old of 500" })
      expect(await store.sessions.get("ses_unknown")).toBeUndefined()
      expect(await hits()).toEqual(found)
      goAway(backup)
      await ids()
      expect(told.filter(({ path }) => path === backup)).toHaveLength(2)
    })
  }

for (const { name, open } of variants.slice(0, 2)) {
  test(`${name}: what was only got, never listed, has no older copy stand in for it either`, async () => {
    const directory = tempFolder()
    const backup = join(tempFolder(), "backup")
    putSession(directory, "ses_1", 100, ["msg_1"])
    putSession(backup, "ses_1", 500, ["msg_1"])
    await using store = await open(directory, { alsoRead: [backup] })
    expect(await store.sessions.get("ses_1")).toMatchObject({ title: "ses_1 of 500" })
    GONE["is removed"]?.(backup)
    expect(await failure(store.sessions.get("ses_1"))).toMatchObject({ code: "UNREADABLE", path: backup })
    // A version that is as new may be told of.
    putSession(directory, "ses_1", 500, ["msg_1"])
    expect(await store.sessions.get("ses_1")).toMatchObject({ title: "ses_1 of 500" })
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
  })

  test(`${name}: of copies of the same time the one with more messages is read, whoever asks`, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Random(seed)
      const roots = [tempFolder(), tempFolder(), tempFolder()]
      const [directory = "", ...alsoRead] = roots
      const expected = new Map<string, string>()
      for (let s = 0; s < 8; s++) {
        const id = `ses_${s}`
        let best = { updated: -1, messages: -1 }
        for (const root of roots) {
          if (random.chance(0.2)) continue
          const mine = { updated: 1 + random.below(2), messages: random.below(4) }
          putSession(
            root,
            id,
            mine.updated,
            Array.from({ length: mine.messages }, (_, m) => `msg_${s}_${m}`),
          )
          if (
            mine.updated < best.updated ||
            (mine.updated === best.updated && mine.messages <= best.messages)
          )
            continue
          best = mine
          expected.set(id, root)
        }
      }
      await using store = await open(directory, { alsoRead })
      for (const options of [
        {},
        { limit: 5 },
        { order: "created" },
        { projectID: "p" },
        { search: "ses" },
      ] as const) {
        const listed = await all(store.sessions.listWithOrigin(options))
        expect(listed).toHaveLength("limit" in options ? Math.min(5, expected.size) : expected.size)
        for (const { session, origin } of listed)
          expect([seed, session.id, origin]).toEqual([seed, session.id, expected.get(session.id) ?? ""])
      }
      expect(await store.sessions.count({ search: "ses" })).toBe(expected.size)
      for (const [id, root] of expected) {
        expect([seed, id, await store.sessions.origin(id)]).toEqual([seed, id, root])
        expect(await all(store.messages.ids(id))).toHaveLength(
          fs.existsSync(join(root, "message", id)) ? fs.readdirSync(join(root, "message", id)).length : 0,
        )
      }
    }
  })
}

for (const { name, open } of variants.slice(0, 2))
  test(`${name}: a listing that sees a newer copy removed forgets it, so its folder is not missed later`, async () => {
    const directory = tempFolder()
    const backup = join(tempFolder(), "backup")
    putSession(directory, "ses_both", 100, ["msg_both"])
    putSession(backup, "ses_both", 500, ["msg_both"])
    putSession(backup, "ses_other", 400, ["msg_other"])
    await using store = await open(directory, { alsoRead: [backup] })
    const titles = async () => (await all(store.sessions.list())).map(({ title }) => title)
    expect(await titles()).toEqual(["ses_both of 500", "ses_other of 400"])
    fs.unlinkSync(join(backup, "session/p/ses_both.json"))
    expect(await titles()).toEqual(["ses_other of 400", "ses_both of 100"])
    fs.renameSync(backup, `${backup}.away`)
    expect(await titles()).toEqual(["ses_both of 100"])
  })
