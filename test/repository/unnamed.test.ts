import { expect, test } from "bun:test"
import { readdirSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { cliHere, lines } from "../cli/in-process.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const BYTES = Buffer.from([0x78, 0xff, 0xfe])

/** The same with a name of bytes that are no UTF-8; only Linux's own file systems take it. */
function unnamed(folder: string, name: string): string {
  renameSync(join(folder, name), Buffer.concat([Buffer.from(`${folder}/`), BYTES, Buffer.from(name)]))
  return join(folder, `x\ufffd\ufffd${name}`)
}

function fill(directory: string): string[] {
  put(directory, "session/p/ses_1.json", session("ses_1"))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
  // A name that holds what stands in for such bytes is a name like any other.
  put(directory, "session/p/ses_\ufffd.json", session("ses_\ufffd"))
  const files = [
    "session/p/s.json",
    "message/ses_1/m.json",
    "part/msg_1/p.json",
    "todo/t.json",
    "project/j.json",
  ]
  const paths = files.map((path) => {
    const at = path.lastIndexOf("/")
    put(directory, path, {})
    return unnamed(join(directory, path.slice(0, at)), path.slice(at + 1))
  })
  for (const kind of ["session", "message", "part"]) {
    put(directory, `${kind}/folder/y.json`, {})
    paths.push(unnamed(join(directory, kind), "folder"))
  }
  return paths.sort()
}

const supported = ((): boolean => {
  const folder = tempFolder()
  try {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), BYTES]), "")
    return readdirSync(folder)[0] === "x\ufffd\ufffd"
  } catch {
    return false
  }
})()

test.skipIf(!supported)(
  "a name that is no UTF-8 is told of by path, and is a record to no call",
  async () => {
    const directory = tempFolder()
    const paths = fill(directory)
    for (const indexed of [true, false]) {
      const told = new Set<string>()
      await using store = await openStore({
        directory,
        backgroundIndex: false,
        onProblem: ({ path, code }) => code === "INVALID_KEY" && told.add(path),
      })
      if (indexed) await store.index()
      expect((await all(store.sessions.ids())).sort()).toEqual(["ses_1", "ses_\ufffd"])
      expect(await store.sessions.count()).toBe(3)
      // Counts go by names.
      expect(await store.messages.count("ses_1")).toBe(2)
      expect(await all(store.parts.ids("msg_1"))).toEqual(["prt_1"])
      const keys = (await all(store.keys())).map((key) => key.join("/"))
      expect(keys).toEqual([
        "message/ses_1/msg_1",
        "part/msg_1/prt_1",
        "session/p/ses_1",
        "session/p/ses_\ufffd",
      ])
      expect([...told].sort()).toEqual(paths)
      const problems = await all(store.problems())
      expect(problems.map(({ path, code }) => `${code} ${path}`).sort()).toEqual(
        paths.map((path) => `INVALID_KEY ${path}`),
      )
      expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
    }
  },
)

test.skipIf(!supported)("verify says that all is well, repaired or not, and tells of the names", async () => {
  const directory = tempFolder()
  const paths = fill(directory)
  await cliHere(directory, "index")
  for (const argv of [["verify"], ["verify", "--repair"], ["rebuild"], ["verify", "--json"]]) {
    const { code, out, err } = await cliHere(directory, ...argv)
    expect({ argv, code }).toEqual({ argv, code: 0 })
    if (argv[0] === "verify")
      for (const path of paths.filter((path) => /\/(?:s|m|p)\.json$|x\ufffd\ufffd[smp]\.json$/.test(path)))
        expect(err).toContain(path)
    if (argv.includes("--json")) expect(lines(out)).toMatchObject([{ ok: true, checked: { sessions: 2 } }])
  }
  const { code, out } = await cliHere(directory, "export", "--all", join(tempFolder(), "copy"), "--json")
  expect(code).toBe(1)
  const left = lines(out).slice(0, -1) as { path: string; reason: string }[]
  expect(left.length).toBeGreaterThanOrEqual(5)
  for (const { path } of left) expect(path).toContain("x\ufffd\ufffd")
})
