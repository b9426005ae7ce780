import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

/** A store, and what is done once at the first system call of a kind whose path ends so, as by another process. */
function disturbed(call: "createFile" | "rename" | "removeFile", end: string) {
  const directory = join(tempFolder(), "storage")
  fs.mkdirSync(directory)
  const meanwhile: { run?: () => void } = {}
  const system: FileSystem = {
    ...fileSystem,
    [call](path: string, ...rest: never[]) {
      const done = Reflect.apply(fileSystem[call], fileSystem, [path, ...rest])
      if (path.endsWith(end) || (call === "createFile" && path.includes(end))) {
        const { run } = meanwhile
        delete meanwhile.run
        run?.()
      }
      return done
    },
  }
  const options = resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" })
  const store = new Store(options, { fs: system })
  const files = (): string[] => [...new Bun.Glob("*/**/*.json").scanSync({ cwd: directory })].sort()
  return { directory, store, meanwhile, files }
}

function fill(directory: string, projectID = "a"): void {
  put(directory, `session/${projectID}/ses_1.json`, session("ses_1", { projectID }))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
}

test("a message that comes while its session is removed goes with it", async () => {
  const { directory, store, meanwhile, files } = disturbed("removeFile", "msg_1.json")
  fill(directory)
  let written: Promise<unknown> | undefined
  // More than are removed under one hold of the lock.
  for (let m = 2; m <= 40; m++) put(directory, `message/ses_1/msg_${m}.json`, message(`msg_${m}`, "ses_1", m))
  meanwhile.run = () => {
    written = Promise.all([
      store.messages.write(message("msg_late", "ses_1", 50)),
      store.parts.write(part("prt_late", "msg_late")),
    ])
  }
  expect(await store.sessions.remove("ses_1")).toMatchObject({
    sessions: 1,
    messages: 41,
    parts: 2,
    left: [],
  })
  await written
  expect(files()).toEqual([])
  await store.close()
})

test("a session that is moved while its export comes in stays in one place", async () => {
  const { directory, store, meanwhile, files } = disturbed("createFile", "part")
  fill(directory)
  const file = put(tempFolder(), "export.json", (await all(store.export("ses_1"))).join(""))
  fs.rmSync(join(directory, "part"), { recursive: true })
  put(directory, "session/a/ses_1.json", session("ses_1", { projectID: "a", title: "changed" }))
  meanwhile.run = () => {
    fs.mkdirSync(join(directory, "session/b"))
    fs.renameSync(join(directory, "session/a/ses_1.json"), join(directory, "session/b/ses_1.json"))
  }
  const result = await store.import(file, { onConflict: "replace" })
  expect(result).toMatchObject({ projectID: "b", added: 1, replaced: 1, unchanged: 1 })
  expect(files().filter((path) => path.startsWith("session"))).toEqual(["session/b/ses_1.json"])
  expect(await store.sessions.get("ses_1")).toEqual(session("ses_1", { projectID: "b" }))
  await store.close()
})

test("an import of what is newest does not go over a session that is gone on with meanwhile", async () => {
  const { directory, store, meanwhile } = disturbed("createFile", "part")
  fill(directory)
  const file = put(tempFolder(), "export.json", (await all(store.export("ses_1"))).join(""))
  const at = (updated: number) => session("ses_1", { projectID: "a", time: { created: 1, updated } })
  put(directory, "session/a/ses_1.json", at(1))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 5))
  fs.rmSync(join(directory, "part"), { recursive: true })
  meanwhile.run = () => void put(directory, "session/a/ses_1.json", at(9_999))
  expect(await store.import(file, { onConflict: "newest" })).toMatchObject({ kept: 1, left: [] })
  expect(await store.sessions.get("ses_1")).toEqual(at(9_999))
  await store.close()
})

test("a session that comes while it is copied from an older layout is not copied to a second place", async () => {
  const { directory, store, meanwhile, files } = disturbed("createFile", "message")
  const older = join(directory, "../project/app/storage/session")
  put(older, "info/ses_1.json", session("ses_1"))
  put(older, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  meanwhile.run = () => void put(directory, "session/b/ses_1.json", session("ses_1", { title: "moved here" }))
  expect(await store.importOlder()).toMatchObject({ copied: { sessions: 0, messages: 1 } })
  expect(files()).toEqual(["message/ses_1/msg_1.json", "session/b/ses_1.json"])
  await store.close()
})

test("a message that is back before its parts are in the trash keeps them", async () => {
  const { directory, store, meanwhile, files } = disturbed("rename", "message/ses_1")
  fill(directory)
  meanwhile.run = () => {
    put(directory, "session/a/ses_1.json", session("ses_1"))
    put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  }
  expect(await all(store.prune({ keep: 0 }))).toMatchObject([{ id: "ses_1", outcome: "trashed" }])
  expect(files()).toEqual(["message/ses_1/msg_1.json", "part/msg_1/prt_1.json", "session/a/ses_1.json"])
  await store.close()
})

test("a session that is moved between two looks for it is found", async () => {
  const directory = tempFolder()
  fill(directory, "b")
  const [a, b] = ["a", "b"].map((project) => join(directory, "session", project, "ses_1.json"))
  fs.mkdirSync(join(directory, "session/a"))
  let looks = 0
  const moving: FileSystem = {
    ...fileSystem,
    lstat(path) {
      const stat = fileSystem.lstat(path)
      // Looked for in `a`, where it is not yet, and then in `b`, where it is no more.
      if (path === a && looks++ === 0) fs.renameSync(b ?? "", a)
      return stat
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: moving })
  expect(await store.sessions.get("ses_1")).toMatchObject({ id: "ses_1" })
})
