import { expect, test } from "bun:test"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { all, failure, message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

function open(directory: string, over: Partial<FileSystem>): Store {
  return new Store(resolveOptions({ directory, backgroundIndex: false }), { fs: { ...fileSystem, ...over } })
}

test("a file that another program puts into any project while a session is repaired stays alone", async () => {
  for (const project of ["global", "elsewhere"]) {
    const directory = tempFolder()
    put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1000))
    const theirs = session("ses_1", { title: "theirs", projectID: project })
    let looked = false
    await using store = open(directory, {
      openFile(path) {
        if (!looked && path.includes("/message/")) put(directory, `session/${project}/ses_1.json`, theirs)
        looked ||= path.includes("/message/")
        return fileSystem.openFile(path)
      },
    })
    expect(await failure(store.sessions.repair("ses_1"))).toMatchObject({
      code: "CONFLICT",
      path: join(directory, "session", project, "ses_1.json"),
    })
    expect(looked).toBe(true)
    expect(await all(store.sessions.list())).toEqual([theirs])
    expect(await all(store.keys(["session"]))).toEqual([["session", project, "ses_1"]])
  }
})

test("where it cannot be told whether a session has a file, none is made up", async () => {
  for (const code of ["EACCES", "EMFILE", "EIO"]) {
    const directory = tempFolder()
    put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1000))
    put(directory, "session/p/ses_1.json", session("ses_1"))
    let refusing = true
    await using store = open(directory, {
      lstat(path) {
        if (refusing && path.endsWith("/p/ses_1.json")) throw Object.assign(new Error("refused"), { code })
        return fileSystem.lstat(path)
      },
    })
    expect(await failure(store.sessions.repair("ses_1"))).toMatchObject({ code: "UNREADABLE" })
    expect(await failure(store.sessions.recover("ses_1"))).toMatchObject({ code: "UNREADABLE" })
    expect(await failure(all(store.export("ses_1")))).toMatchObject({ code: "UNREADABLE" })
    refusing = false
    expect((await all(store.export("ses_1"))).join("")).toContain("Session ses_1")
  }
})
