import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { tempPath } from "../../src/file/temp-file.ts"
import type { Problem } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

function refuse(path: string): never {
  throw Object.assign(new Error(`permission denied, ${path}`), { code: "EACCES" })
}

/** A store as one sees it who may list folders named `shut` but not enter them, and not list those named `dark`. */
function partlyClosed(filesOnly: boolean) {
  const directory = tempFolder()
  put(directory, "session/open/ses_1.json", session("ses_1"))
  put(directory, "session/shut/ses_2.json", session("ses_2"))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(directory, "message/shut/msg_2.json", message("msg_2", "shut", 1))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1", "needle"))
  put(directory, "part/shut/prt_2.json", part("prt_2", "shut"))
  fs.mkdirSync(join(directory, "project"))
  fs.mkdirSync(join(directory, "todo"))
  put(directory, "session_diff/ses_gone.json", [])
  const dark = new Set(["project", "todo"].map((name) => join(directory, name)))
  const entering = <T>(path: string, call: (path: string) => T): T =>
    path.includes("/shut/") ? refuse(path) : call(path)
  const problems: Problem[] = []
  const store = new Store(
    resolveOptions({ directory, backgroundIndex: false, onProblem: (problem) => problems.push(problem) }),
    {
      filesOnly,
      fs: {
        ...fileSystem,
        lstat: (path) => entering(path, fileSystem.lstat),
        openFile: (path) => entering(path, fileSystem.openFile),
        removeFile: (path) => entering(path, fileSystem.removeFile),
        readNames: (path) => (dark.has(path) ? refuse(path) : fileSystem.readNames(path)),
        readDirectory: (path) => (dark.has(path) ? refuse(path) : fileSystem.readDirectory(path)),
      },
    },
  )
  const told = (found: readonly { path: string; code: string }[]): string[] =>
    found.map(({ path, code }) => `${code} ${path.slice(directory.length + 1)}`)
  return { store, told, problems }
}

test.each(["SQLite", "files alone"])(
  "a folder that cannot be entered hides nothing but its records: %s",
  async (variant) => {
    const filesOnly = variant === "files alone"
    const { store, told, problems } = partlyClosed(filesOnly)
    expect(await all(store.sessions.ids())).toEqual(["ses_1"])
    expect((await store.sessions.page()).items).toHaveLength(1)
    expect(told(problems).some((problem) => problem.startsWith("UNREADABLE session/shut"))).toBe(true)
    expect((await store.sessions.get("ses_1"))?.id).toBe("ses_1")
    expect(await store.sessions.get("ses_none")).toBeUndefined()
    expect(await failure(store.sessions.get(["session", "shut", "ses_2"]))).toMatchObject({
      code: "UNREADABLE",
    })
    expect((await store.messages.get("msg_1"))?.id).toBe("msg_1")
    expect(await store.messages.get("msg_none")).toBeUndefined()
    expect((await store.parts.get("prt_1"))?.id).toBe("prt_1")
    expect(await store.parts.get("prt_none")).toBeUndefined()
    expect(await all(store.search("needle"))).toMatchObject([{ partID: "prt_1" }])
    await store.sessions.write(session("ses_1", { title: "Anew" }))
    expect((await store.sessions.get("ses_1"))?.title).toBe("Anew")
    expect((await store.stats()).kinds.session?.files).toBe(1)
    expect(await failure(all(store.readText(["session", "shut", "ses_2"])))).toMatchObject({
      code: "UNREADABLE",
    })
    expect(await failure(store.version([["session", "shut", "ses_2"]]))).toMatchObject({ code: "UNREADABLE" })
    if (!filesOnly) {
      const expected = ["session/shut", "message/shut", "part/shut", "project", "todo"]
      expect(told(await all(store.problems()))).toEqual(expected.map((path) => `UNREADABLE ${path}`))
      expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
    }
    expect((await store.sessions.remove("ses_1")).sessions).toBe(1)
    await store.close()
  },
)

test("a folder of projects or side files that cannot be listed is reported, and the others are listed", async () => {
  const { store, told, problems } = partlyClosed(false)
  expect(await all(store.projects.list())).toEqual([])
  expect(await all(store.projects.ids())).toEqual(["open", "shut"])
  const orphans = await all(store.orphans())
  expect(orphans.map(({ key }) => key.join("/"))).toContain("session_diff/ses_gone")
  expect(told(problems)).toContain("UNREADABLE project")
  expect(told(problems)).toContain("UNREADABLE todo")
  await store.close()
})

test("an old temp file that cannot be removed fails no listing", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  const killed = Bun.spawn(["true"])
  await killed.exited
  const temp = tempPath(join(directory, "session", "p")).replace(`-${process.pid}-`, `-${killed.pid}-`)
  fs.writeFileSync(temp, "")
  let tries = 0
  const store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      lstat(path) {
        const stat = fileSystem.lstat(path)
        return stat && path === temp ? { ...stat, ctimeNs: stat.ctimeNs - 7_200_000_000_000n } : stat
      },
      removeFile(path) {
        tries++
        return refuse(path)
      },
    },
  })
  expect(await all(store.sessions.ids())).toEqual(["ses_1"])
  expect(tries).toBeGreaterThan(0)
  expect(store.health()).toMatchObject({ index: { state: "ready" }, answers: { files: 0 } })
  await store.close()
})
