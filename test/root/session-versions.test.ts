import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { compose } from "../../src/composition.ts"
import { opencodeDatabase, type Root, type RootProvider, transcripts } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { copyOfTranscripts } from "../support/home.ts"
import { put, tempFolder, treePath, untilProven } from "../support/temp.ts"

const AT = { project: "proj", id: "ses_1" }

/** A store with a session of two messages and three parts, and with another session. */
function filled(): string {
  const directory = tempFolder()
  const session = (id: string): void => {
    put(directory, `session/proj/${id}.json`, { id, projectID: "proj", time: { created: 1, updated: 2 } })
  }
  session("ses_1")
  session("ses_2")
  put(directory, "message/ses_1/msg_1.json", { role: "user", time: { created: 1 } })
  put(directory, "message/ses_1/msg_2.json", { role: "assistant", time: { created: 2 } })
  put(directory, "message/ses_2/msg_3.json", { role: "user", time: { created: 3 } })
  for (const [message, part] of [
    ["msg_1", "prt_1"],
    ["msg_2", "prt_2"],
    ["msg_2", "prt_3"],
  ] as const)
    put(directory, `part/${message}/${part}.json`, { type: "text", text: part })
  put(directory, "todo/ses_1.json", [])
  return directory
}

async function rootOf(directory: string, filesOnly = false): Promise<Root & AsyncDisposable> {
  const options = resolveOptions({ directory, backgroundIndex: false })
  const { own } = compose(
    options,
    { filesOnly },
    () => {},
    () => {},
  )
  return Object.assign(own, {
    async [Symbol.asyncDispose]() {
      await own.upkeep.stop()
      own.upkeep.close()
    },
  })
}

async function versionOf({ versions }: Root, at = AT): Promise<string | undefined> {
  await versions?.refresh({})
  return (await versions?.of([at], {}))?.[0]
}

/** The version once stamps are old enough to prove something. */
async function settled(root: Root): Promise<string> {
  for (;;) {
    const version = await versionOf(root)
    if (version !== undefined) return version
    await Bun.sleep(20)
  }
}

const CHANGES: Record<string, (directory: string) => void> = {
  "the session's file": (directory) => put(directory, "session/proj/ses_1.json", { title: "another" }),
  "a message": (directory) =>
    put(directory, "message/ses_1/msg_1.json", { role: "user", time: { created: 9 } }),
  "a part, with as many bytes": (directory) =>
    put(directory, "part/msg_2/prt_3.json", { type: "text", text: "prt_4" }),
  "a new message": (directory) => put(directory, "message/ses_1/msg_9.json", {}),
  "a new part of a message that had none": (directory) => put(directory, "part/msg_4/prt_1.json", {}),
  "a message that went": (directory) => fs.rmSync(join(directory, "message/ses_1/msg_2.json")),
  "a part that went": (directory) => fs.rmSync(join(directory, "part/msg_2/prt_2.json")),
  "all parts of a message that went": (directory) =>
    fs.rmSync(join(directory, "part/msg_1"), { recursive: true }),
  "its todos": (directory) => put(directory, "todo/ses_1.json", [{ id: "1" }]),
  "its diff": (directory) => put(directory, "session_diff/ses_1.json", []),
  "a part that was moved to another message": (directory) =>
    fs.renameSync(join(directory, "part/msg_2/prt_2.json"), join(directory, "part/msg_1/prt_2.json")),
}

test("a session's version is another one after any change to it, and the same after others", async () => {
  const hold = async ([name, change]: [string, (directory: string) => void]): Promise<void> => {
    const directory = filled()
    put(directory, "message/ses_1/msg_4.json", { role: "user", time: { created: 4 } })
    await using root = await rootOf(directory)
    const before = await settled(root)
    put(directory, "message/ses_2/msg_3.json", { role: "user", time: { created: 5 } })
    put(directory, "part/msg_3/prt_9.json", {})
    expect(await versionOf(root)).toBe(before)
    change(directory)
    expect({ name, isSame: (await versionOf(root)) === before }).toEqual({ name, isSame: false })
    expect({ name, isSame: (await settled(root)) === before }).toEqual({ name, isSame: false })
  }
  await Promise.all(Object.entries(CHANGES).map(hold))
})

test("a record that cannot be read leaves none: it may be half of one that is being written", async () => {
  const directory = filled()
  await using root = await rootOf(directory)
  await settled(root)
  put(directory, "part/msg_1/prt_1.json", "{ torn")
  await untilProven()
  expect(await versionOf(root)).toBeUndefined()
  put(directory, "part/msg_1/prt_1.json", { type: "text", text: "prt_1" })
  await settled(root)
})

test("a change that nobody could tell by its stamp leaves no version to go by", async () => {
  const directory = filled()
  await using root = await rootOf(directory)
  await settled(root)
  // Twice within one tick of the clock: the second may leave the stamp of the first.
  put(directory, "part/msg_1/prt_1.json", { type: "text", text: "a" })
  const version = await versionOf(root)
  expect(version).toBeUndefined()
})

test("another process gives the same version; without an index, or with one begun anew, there is none or another", async () => {
  const directory = filled()
  let before: string
  {
    await using root = await rootOf(directory)
    before = await settled(root)
  }
  {
    await using root = await rootOf(directory)
    expect(await root.versions?.of([AT], {})).toEqual([undefined])
    expect(await versionOf(root)).toBe(before)
    expect(await versionOf(root, { project: "proj", id: "ses_none" })).toBeUndefined()
  }
  {
    await using root = await rootOf(directory, true)
    expect(await versionOf(root)).toBeUndefined()
  }
  fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  await using root = await rootOf(directory)
  expect(await settled(root)).not.toBe(before)
})

/** A root that is read beside a store, with its index kept in that. */
function beside(provider: RootProvider): Root & AsyncDisposable {
  const options = resolveOptions({ directory: filled(), roots: [provider], backgroundIndex: false })
  const { all } = compose(
    options,
    {},
    () => {},
    () => {},
  )
  const [, root] = all
  if (!root) throw new Error("There is no other root")
  return Object.assign(root, {
    async [Symbol.asyncDispose]() {
      for (const { upkeep } of all) {
        await upkeep.stop()
        upkeep.close()
      }
    },
  })
}

async function allVersions(root: Root): Promise<Map<string, string | undefined>> {
  const listed = await root.catalog.sessions({ archived: "include", order: "updated", direction: "desc" }, {})
  const places = [...listed].map(({ id, project }) => ({ id, project }))
  await root.versions?.refresh({})
  const versions = (await root.versions?.of(places, {})) ?? []
  return new Map(places.map(({ id }, at) => [id, versions[at]]))
}

test("sessions of a database have versions, which change with a message, a part, a session and todos", async () => {
  const file = join(tempFolder(), "opencode.db")
  fs.copyFileSync(join(treePath("opencode-1.18.34"), "opencode.db"), file)
  await using root = beside(opencodeDatabase(file))
  const before = await allVersions(root)
  expect(before.size).toBeGreaterThan(5)
  expect([...before.values()]).not.toContain(undefined)
  expect(await allVersions(root)).toEqual(before)
  const changes = [
    'update message set data = \'{"role":"user"}\', time_updated = time_updated + 1',
    "update part set time_updated = time_updated + 1",
    "update session set title = 'x', time_updated = time_updated + 1",
    "delete from part where rowid = (select max(rowid) from part where session_id = $id)",
    "insert into todo (session_id, content, status, priority, position, time_created, time_updated) values ($id, 'c', 's', 'p', 99, 1, 1)",
  ]
  const writer = new Database(file)
  // A release that keeps a number of changes raises it with each.
  for (const change of changes) {
    const [[id, version] = []] = await allVersions(root)
    const statement = change.startsWith("update")
      ? `${change} where ${change.includes("session set") ? "id" : "session_id"} = $id`
      : change
    writer.query(statement).run({ $id: id ?? "" })
    if (!change.includes("todo"))
      writer.query("update event_sequence set seq = seq + 1 where aggregate_id = $id").run({ $id: id ?? "" })
    expect({ change, isSame: (await allVersions(root)).get(id ?? "") === version }).toEqual({
      change,
      isSame: false,
    })
  }
  writer.query("update session set time_updated = $now").run({ $now: Date.now() })
  expect(new Set((await allVersions(root)).values())).toEqual(new Set([undefined]))
  writer.close()
})

test("sessions of transcripts have versions, which change with what is written to their files", async () => {
  const place = copyOfTranscripts("codex")
  await untilProven()
  await using root = beside(transcripts("codex", place))
  let before = await allVersions(root)
  // The clock of the device is known from the second look on.
  for (; [...before.values()].includes(undefined); before = await allVersions(root)) await Bun.sleep(20)
  expect(before.size).toBeGreaterThan(5)
  expect(await allVersions(root)).toEqual(before)
  const [path = ""] = fs
    .readdirSync(join(place, "sessions"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".jsonl"))
  const line = {
    timestamp: "2026-01-01T00:00:00.000Z",
    type: "response_item",
    payload: { type: "message", role: "user", content: [{ type: "input_text", text: "more" }] },
  }
  fs.appendFileSync(join(place, "sessions", path), `${JSON.stringify(line)}\n`)
  const after = await allVersions(root)
  const changed = [...before].filter(([id, version]) => after.get(id) !== version)
  expect(changed.length).toBeGreaterThan(0)
  expect(changed.length).toBeLessThan(before.size / 2)
})
