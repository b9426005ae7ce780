import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { moveTree } from "../../src/file/move.ts"
import { checkSpelling } from "../../src/file/spelling.ts"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { TimeSlice } from "../../src/time-slice.ts"
import { foldingFileSystem, oneFolderFileSystem } from "../support/aliased-fs.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

/** A place for stores: its folder, and how it is looked at. */
interface Volume {
  readonly directory: string
  readonly fs: FileSystem
}

const open = ({ directory, fs }: Volume): Store =>
  new Store(resolveOptions({ directory, backgroundIndex: false, durability: "relaxed" }), { fs })

/** The files of records, with their texts. */
function records(directory: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const path of new Bun.Glob("*/**/*.json").scanSync({ cwd: directory }))
    found[path] = fs.readFileSync(join(directory, path), "utf8")
  return found
}

function fill(directory: string): void {
  put(directory, "session/p1/ses_1.json", session("ses_1", { projectID: "p1" }))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  put(directory, "part/msg_1/prt_1.json", part("prt_1", "msg_1"))
  put(directory, "todo/ses_1.json", [1])
}

const unmount: (() => unknown)[] = []
afterAll(() => {
  for (const undo of unmount.reverse()) undo()
})

/** Gives what a command printed, `undefined` where it failed or is not there. */
function run(command: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" })
  return status === 0 ? stdout.trim() : undefined
}

/** What the system cannot do is said, so that nobody takes it for tested. */
function unless(done: boolean, what: string): boolean {
  if (!done) console.log(`Not tested here: ${what} (it takes root, and what it needs to be installed)`)
  return done
}

/** A real file system that folds case: exFAT in a file. */
function exfat(): string | undefined {
  const folder = fs.mkdtempSync(join(tmpdir(), "sessiondex-exfat-"))
  unmount.push(() => fs.rmSync(folder, { recursive: true, force: true }))
  const [image, at] = [join(folder, "image"), join(folder, "mounted")]
  fs.writeFileSync(image, "")
  fs.truncateSync(image, 8 * 1024 * 1024)
  fs.mkdirSync(at)
  const device = run("mkfs.exfat", image) === undefined ? undefined : run("losetup", "-f", "--show", image)
  if (device !== undefined) unmount.push(() => run("losetup", "-d", device))
  const mounted = device !== undefined && run("mount.exfat-fuse", device, at) !== undefined
  if (!unless(mounted, "names that exFAT takes for one")) return undefined
  unmount.push(() => run("umount", at))
  return at
}

const mounted = exfat()
let made = 0
const folding: readonly (readonly [string, () => Volume])[] = [
  [
    "a file system that folds names",
    () => {
      const directory = tempFolder()
      return { directory, fs: foldingFileSystem(directory) }
    },
  ],
  ...(mounted === undefined
    ? []
    : [
        [
          "exFAT",
          (): Volume => {
            const directory = join(mounted, `store${made++}`)
            fs.mkdirSync(directory)
            return { directory, fs: fileSystem }
          },
        ] as const,
      ]),
]

describe.each(folding)("on %s", (_, volume) => {
  test("a write whose name is another record's by case changes nothing and says so", async () => {
    const place = volume()
    fill(place.directory)
    const before = records(place.directory)
    await using store = open(place)
    const writes: readonly (() => Promise<unknown>)[] = [
      () => store.write(["session", "p1", "Ses_1"], { id: "Ses_1" }),
      () => store.write(["session", "P1", "ses_1"], {}),
      () => store.write(["session", "P1", "ses_new"], {}),
      () => store.write(["Session", "p1", "ses_new"], {}),
      () => store.sessions.write(session("ses_new", { projectID: "P1" })),
      () => store.sessions.write(session("SES_1", { projectID: "p1" })),
      () => store.update(["session", "p1", "SES_1"], () => {}),
      () => store.sessions.move("ses_1", "P1"),
      () => store.messages.write(message("msg_2", "SES_1", 1)),
      () => store.parts.write(part("PRT_1", "msg_1")),
      () => store.parts.write(part("PRT_1", "msg_1"), { coalesce: 1 }),
      () => store.update(["todo", "SES_1"], () => [2]),
      () => store.remove(["todo", "SES_1"]),
    ]
    for (const write of writes) {
      const result = await write().then(
        () => "done",
        ({ code }) => code,
      )
      expect([String(write), result]).toEqual([String(write), "CONFLICT"])
    }
    // What never was its own is not kept to be tried again.
    await store.flush()
    expect(records(place.directory)).toEqual(before)
    expect(await failure(store.sessions.update("SES_1", () => {}))).toMatchObject({ code: "NOT_FOUND" })
    expect(await store.sessions.get("SES_1")).toBeUndefined()
    const nothing = { sessions: 0, messages: 0, parts: 0, sideFiles: 0, left: [] }
    expect(await store.sessions.remove("SES_1")).toEqual(nothing)
    expect(await store.messages.remove(["message", "ses_1", "MSG_1"])).toEqual(nothing)
    expect(records(place.directory)).toEqual(before)
    // Its own name still works.
    await store.write(["todo", "ses_1"], [3])
    await store.sessions.update("ses_1", (draft) => {
      draft.title = "changed"
    })
    expect(await store.sessions.move("ses_1", "p2")).toEqual(["ses_1"])
    expect(Object.keys(records(place.directory)).filter((path) => path.startsWith("session"))).toEqual([
      "session/p2/ses_1.json",
    ])
  })

  test("of two new records whose names are one the first is written, and the second refused", async () => {
    const place = volume()
    await using store = open(place)
    const both = await Promise.allSettled([
      store.write(["todo", "ses_A"], [1]),
      store.write(["todo", "ses_a"], [2]),
    ])
    expect(both).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: { code: "CONFLICT" } },
    ])
    expect(await store.read<number[]>(["todo", "ses_A"])).toEqual([1])
  })

  test("an import to a project that is another by name changes nothing", async () => {
    const place = volume()
    fill(place.directory)
    await using store = open(place)
    const json = (await all(store.export("ses_1"))).join("")
    await store.sessions.remove("ses_1")
    put(place.directory, "session/p1/ses_2.json", session("ses_2"))
    const before = records(place.directory)
    const file = put(tempFolder(), "export.json", json)
    expect(await failure(store.import(file, { projectID: "P1" }))).toMatchObject({ code: "CONFLICT" })
    expect(records(place.directory)).toEqual(before)
  })

  test("a session that goes to the trash, or is removed, leaves what is another's by name", async () => {
    const place = volume()
    fill(place.directory)
    put(
      place.directory,
      "session/p2/SES_1.json",
      session("SES_1", { projectID: "p2", time: { created: 1, updated: 1 } }),
    )
    const before = records(place.directory)
    await using store = open(place)
    expect(await all(store.prune({ keep: 0, projectID: "p2" }))).toMatchObject([
      { id: "SES_1", outcome: "trashed" },
    ])
    const { "session/p2/SES_1.json": _, ...others } = before
    expect(records(place.directory)).toEqual(others)
    await all(store.trash.restore("SES_1"))
    expect(records(place.directory)).toEqual(before)
    expect(await store.sessions.remove("SES_1")).toMatchObject({ sessions: 1, messages: 0, sideFiles: 0 })
    expect(records(place.directory)).toEqual(others)
  })
})

test("names that differ by Unicode form only are told apart where the system does, and refused where it does not", async () => {
  const [composed, decomposed] = ["caf\u00e9", "cafe\u0301"]
  const directory = tempFolder()
  await using exact = open({ directory, fs: fileSystem })
  await exact.write(["todo", composed], [1])
  await exact.write(["todo", decomposed], [2])
  await exact.write(["todo", composed.toUpperCase()], [3])
  expect(await exact.count(["todo"])).toBe(3)
  const folded = tempFolder()
  await using store = open({ directory: folded, fs: foldingFileSystem(folded) })
  await store.write(["todo", composed], [1])
  for (const other of [decomposed, composed.toUpperCase()])
    expect(await failure(store.write(["todo", other], [2]))).toMatchObject({ code: "CONFLICT" })
  expect(await store.read<number[]>(["todo", composed])).toEqual([1])
})

test("a hard link of another case is a name of its own", () => {
  const directory = tempFolder()
  const file = put(directory, "todo/ses_1.json", [1])
  fs.linkSync(file, join(directory, "todo", "SES_1.JSON"))
  checkSpelling(fileSystem, directory, ["todo", "ses_1"])
})

/** What must hold where `p1` and `p2` are one folder. Run by this test, and by a process that has really mounted it so. */
async function checkOneFolder(place: Volume): Promise<void> {
  const { directory } = place
  const text = (): string => fs.readFileSync(join(directory, "session/p1/ses_1.json"), "utf8")
  fill(directory)
  put(
    directory,
    "session/p0/ses_0.json",
    session("ses_0", { projectID: "p0", time: { created: 1, updated: 1 } }),
  )
  const before = text()
  await using store = open(place)
  const file = put(tempFolder(), "export.json", (await all(store.export("ses_1"))).join(""))
  for (const project of ["p2", "p1", "p2"]) {
    expect(await store.sessions.move("ses_1", project)).toEqual([])
    expect(text()).toBe(before)
  }
  expect(await store.import(file)).toMatchObject({ added: 0, unchanged: 3 })
  expect(await store.sessions.get("ses_1")).toMatchObject({ id: "ses_1" })
  await all(store.prune({ keep: 0 }))
  expect(fs.existsSync(join(directory, "session/p1/ses_1.json"))).toBe(false)
  await all(store.trash.restore(["ses_1", "ses_0"]))
  expect(text()).toBe(before)
  expect(await store.messages.count("ses_1")).toBe(1)
  expect(await store.sessions.move("ses_0", "p2")).toEqual(["ses_0"])
  expect(fs.readdirSync(join(directory, "session/p0"))).toEqual([])
  expect(fs.readdirSync(join(directory, "session/p1")).sort()).toEqual(["ses_0.json", "ses_1.json"])
  expect(await store.sessions.move("ses_0", "p0")).toEqual(["ses_0"])
  expect(await store.sessions.remove("ses_1")).toMatchObject({ sessions: 1, messages: 1, parts: 1 })
  expect(Object.keys(records(directory))).toEqual(["session/p0/ses_0.json"])
}

test("where two projects are one folder, moving, trashing and importing lose nothing", async () => {
  const directory = tempFolder()
  const [first, second] = [join(directory, "session", "p1"), join(directory, "session", "p2")]
  for (const folder of [first, second]) fs.mkdirSync(folder, { recursive: true })
  await checkOneFolder({ directory, fs: oneFolderFileSystem(first, second) })
})

test("where only the file's number tells that two projects are one, its session is not removed", async () => {
  const directory = tempFolder()
  const [first, second] = [join(directory, "session", "p1"), join(directory, "session", "p2")]
  for (const folder of [first, second]) fs.mkdirSync(folder, { recursive: true })
  fill(directory)
  const one = oneFolderFileSystem(first, second)
  const lstat: FileSystem["lstat"] = (path) => {
    const stat = one.lstat(path)
    return stat && path === second ? { ...stat, inode: stat.inode + 1n } : stat
  }
  await using store = open({ directory, fs: { ...one, lstat } })
  await store.sessions.move("ses_1", "p2")
  expect(await store.sessions.get("ses_1")).toMatchObject({ id: "ses_1" })
  expect(fs.existsSync(join(first, "ses_1.json"))).toBe(true)
})

test("the same where one is mounted on the other", async () => {
  const directory = tempFolder()
  const [first, second] = [join(directory, "session", "p1"), join(directory, "session", "p2")]
  for (const folder of [first, second]) fs.mkdirSync(folder, { recursive: true })
  if (!unless(run("mount", "--bind", first, second) !== undefined, "two projects mounted as one folder"))
    return
  try {
    await checkOneFolder({ directory, fs: fileSystem })
  } finally {
    run("umount", second)
  }
})

test("a tree is not moved onto itself by another name, and a second name of a file goes", async () => {
  const directory = tempFolder()
  const [a, b] = [join(directory, "a"), join(directory, "b")]
  put(directory, "a/deep/file.json", "text")
  fs.mkdirSync(b)
  const one = oneFolderFileSystem(a, b)
  for (const [from, to] of [
    [a, b],
    [b, a],
    [join(a, "deep"), join(b, "deep")],
    [join(a, "deep/file.json"), join(b, "deep/file.json")],
  ] as const) {
    const moved = { root: directory, folders: new Set<string>(), left: [] as string[] }
    await moveTree(one, from, to, moved, new TimeSlice())
    expect(moved.left).toEqual([from])
    expect(fs.readFileSync(join(a, "deep/file.json"), "utf8")).toBe("text")
  }
  fs.linkSync(join(a, "deep/file.json"), join(b, "file.json"))
  const moved = { root: directory, folders: new Set<string>(), left: [] as string[] }
  await moveTree(fileSystem, join(a, "deep/file.json"), join(b, "file.json"), moved, new TimeSlice())
  expect([fs.existsSync(join(a, "deep/file.json")), fs.readFileSync(join(b, "file.json"), "utf8")]).toEqual([
    false,
    "text",
  ])
})
