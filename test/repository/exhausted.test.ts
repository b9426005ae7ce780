import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"

function makeStore(): string {
  const directory = tempFolder()
  put(directory, "session/a/ses_1.json", session("ses_1", { projectID: "a", title: "needle" }))
  put(directory, "session/b/ses_2.json", session("ses_2", { projectID: "b" }))
  for (const at of ["1", "2"]) {
    put(directory, `message/ses_${at}/msg_${at}.json`, message(`msg_${at}`, `ses_${at}`, 1))
    put(directory, `part/msg_${at}/prt_${at}.json`, part(`prt_${at}`, `msg_${at}`, "needle"))
  }
  // A copied session's message, whose parts are those of the first.
  put(directory, "message/ses_2/msg_1.json", message("msg_1", "ses_2", 5))
  return directory
}

const FOUND = {
  get: "found",
  update: "found",
  list: 2,
  count: 2,
  parts: 1,
  export: true,
  search: 4,
  usage: 1,
  orphans: 0,
  sessions: 200,
  page: 200,
  session: 200,
  messages: 200,
}

test.skipIf(process.platform === "win32").each(["cold", "warm"])(
  "a process without descriptors says so, and has them back in time where it can: %s",
  async (when) => {
    const child = join(import.meta.dir, "exhausted-child.ts")
    const limited = 'ulimit -n 64 && exec "$0" "$@"'
    const run = Bun.spawn(["sh", "-c", limited, process.execPath, child, makeStore(), when], {
      stderr: "inherit",
    })
    const { without, meanwhile } = JSON.parse(await new Response(run.stdout).text())
    // What the index knows by stamps needs no descriptor.
    const wrong = Object.entries(without).filter(
      ([name, outcome]) =>
        outcome !== "EXHAUSTED" && outcome !== 503 && outcome !== FOUND[name as keyof typeof FOUND],
    )
    expect(wrong).toEqual([])
    expect(
      Object.values(without).filter((outcome) => outcome === "EXHAUSTED" || outcome === 503).length,
    ).toBeGreaterThan(8)
    expect(meanwhile).toEqual(FOUND)
  },
)

/** The calls that take a descriptor, each refused while `isRefused` says so. */
function refusing(isRefused: (path: string) => string | undefined): FileSystem {
  const before = <Rest extends unknown[], T>(run: (path: string, ...rest: Rest) => T) => {
    return (path: string, ...rest: Rest): T => {
      const code = isRefused(path)
      if (code) throw Object.assign(new Error(`${code}, ${path}`), { code, path })
      return run(path, ...rest)
    }
  }
  return {
    ...fileSystem,
    openFile: before(fileSystem.openFile),
    readPieces: before(fileSystem.readPieces),
    readNames: before(fileSystem.readNames),
    readDirectory: before(fileSystem.readDirectory),
  }
}

function open(directory: string, fs: FileSystem): Store {
  return new Store(resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" }), { fs })
}

test("what is refused a few times is tried again, and the event loop is free meanwhile", async () => {
  let left = 6
  const store = open(
    makeStore(),
    refusing(() => (left-- > 0 ? "EMFILE" : undefined)),
  )
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  expect((await store.sessions.get("ses_1"))?.id).toBe("ses_1")
  expect(turns).toBeGreaterThan(2)
  clearInterval(timer)
  for (const ask of [
    async () => (await all(store.sessions.list())).length,
    async () => (await all(store.messages.stream("ses_2"))).length,
    async () => (await all(store.keys(["session"]))).length,
    async () => (await store.usage()).length * 2,
  ]) {
    left = 3
    expect(await ask()).toBe(2)
  }
  await store.close()
})

test("a store is opened once it can be told what lies beside it", async () => {
  const older = tempFolder()
  put(older, "p/storage/session/info/ses_old.json", session("ses_old"))
  let left = Number.POSITIVE_INFINITY
  const fs = refusing((path) => (path.startsWith(older) && left-- > 0 ? "EMFILE" : undefined))
  const options = resolveOptions({ directory: makeStore(), alsoRead: [older], backgroundIndex: false })
  expect(() => new Store(options, { fs })).toThrow(expect.objectContaining({ code: "EXHAUSTED" }))
  left = 0
  const store = new Store(options, { fs })
  expect((await store.sessions.get("ses_old"))?.id).toBe("ses_old")
  // A project of it that cannot be looked into does not hide the others, and is told of.
  left = Number.POSITIVE_INFINITY
  expect(await failure(all(store.sessions.list()))).toMatchObject({ code: "EXHAUSTED" })
  await store.close()
})

/** What changes something, and what must have become of it or not. */
const CHANGES: Record<string, (store: Store) => Promise<unknown>> = {
  "sessions.update": (store) => store.sessions.update("ses_2", (draft) => ({ ...draft, title: "new" })),
  "sessions.write": (store) => store.sessions.write(session("ses_2", { projectID: "a", title: "new" })),
  "sessions.move": (store) => store.sessions.move("ses_2", "c"),
  "sessions.remove": (store) => store.sessions.remove("ses_1"),
  "messages.update": (store) => store.messages.update("msg_2", (draft) => ({ ...draft, extra: 1 })),
  "messages.remove": (store) => store.messages.remove(["message", "ses_1", "msg_1"]),
  "messages.remove by id": (store) => store.messages.remove("msg_2"),
  "parts.update": (store) => store.parts.update("prt_2", () => {}),
  prune: (store) => all(store.prune({ olderThan: 1, only: new Set(["ses_1"]) })),
  "prune of orphans": (store) => all(store.prune({ orphans: true })),
}

test.each(Object.keys(CHANGES))(
  "%s loses nothing and doubles nothing that it could not look at",
  async (name) => {
    const change = CHANGES[name]
    if (!change) throw new Error(name)
    const wrong: string[] = []
    const places = [
      "",
      "session",
      "session/a",
      "session/b",
      "message",
      "message/ses_1",
      "message/ses_2",
      "part/msg_1",
    ]
    await Promise.all(
      places.flatMap((place) =>
        (["EMFILE", "EACCES", "EIO"] as const).map(async (code) => {
          const directory = makeStore()
          const before = snapshot(directory)
          const at = join(directory, place)
          let refuses = true
          const store = open(
            directory,
            refusing((path) => (refuses && (path === at || path.startsWith(`${at}/`)) ? code : undefined)),
          )
          let outcome = "done"
          try {
            await change(store)
          } catch (error) {
            outcome = error instanceof Error && "code" in error ? String(error.code) : String(error)
          }
          refuses = false
          const there = (path: string): boolean => fs.existsSync(join(directory, path))
          const say = (what: string): void =>
            void wrong.push(`${code} ${place || "everywhere"} (${outcome}): ${what}`)
          if (outcome === "NOT_FOUND") say("said that there is no such record")
          if (there("message/ses_2/msg_1.json") && !there("part/msg_1/prt_1.json"))
            say("took another's parts")
          if (there("session/a/ses_2.json") && there("session/b/ses_2.json")) say("made a second copy")
          if (name === "prune of orphans" && !Bun.deepEquals(records(snapshot(directory)), records(before)))
            say("took what is no orphan")
          await store.close()
        }),
      ),
    )
    expect(wrong).toEqual([])
  },
)

function records(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).filter(([path]) => path.endsWith(".json") && !path.startsWith(".")),
  )
}

test("a folder that cannot be listed makes no orphans", async () => {
  for (const place of ["session", "session/a", "message", "message/ses_2"])
    for (const code of ["EACCES", "EIO"]) {
      const directory = makeStore()
      const at = join(directory, place)
      const store = open(
        directory,
        refusing((path) => (path === at ? code : undefined)),
      )
      const found: unknown[] = []
      const error = await failure(
        (async () => {
          for await (const orphan of store.orphans()) found.push(orphan)
        })(),
      )
      expect([place, found, error]).toEqual([place, [], expect.objectContaining({ code: "UNREADABLE" })])
      await store.close()
    }
})
