import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { Connection, Overtaken } from "../../../src/root/opencode/connection.ts"
import { lookAt } from "../../../src/root/opencode/files.ts"
import { countSessions, listSessions } from "../../../src/root/opencode/session-list.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"
import {
  ALL,
  databaseOf,
  fixtureDatabase,
  idsOf,
  looks,
  messageRow,
  readerOf,
  SCHEMA_1_2,
  sessionRow,
  startAgent,
} from "./support.ts"

/** Waits until a reader that rests has let go of its files. */
async function untilLetGo(path: string): Promise<void> {
  while (openFiles(path).length > 0) await Bun.sleep(20)
}

function openFiles(path: string): string[] {
  return fs.readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${descriptor}`)
      return target.startsWith(path) ? [target] : []
    } catch {
      return []
    }
  })
}

/** A database whose agent was killed: everything is in its WAL. */
async function killedAgent(sessions = 3): Promise<string> {
  const path = join(tempFolder(), "opencode.db")
  const agent = await startAgent(path, "no-checkpoints")
  for (const statement of SCHEMA_1_2.split(";").filter((text) => text.trim() !== ""))
    await agent.say(`run ${statement}`)
  for (let at = 0; at < sessions; at++) await agent.say(`run ${sessionRow({ id: `ses_${at}`, updated: at })}`)
  await agent.kill()
  return path
}

test("a database in WAL mode that lies alone is read, and no file comes into being or changes", async () => {
  const path = fixtureDatabase()
  const before = looks(dirname(path))
  using opened = readerOf(path)
  expect(await idsOf(opened.reader)).toHaveLength(9)
  expect(looks(dirname(path))).toEqual(before)
  opened.reader.close()
  expect(looks(dirname(path))).toEqual(before)
  expect(openFiles(path)).toEqual([])
})

test("after a killed agent the newest state is read from the WAL, and none of the three files changes", async () => {
  const path = await killedAgent()
  const before = looks(dirname(path))
  expect(Object.keys(before)).toEqual(["opencode.db", "opencode.db-shm", "opencode.db-wal"])
  using opened = readerOf(path)
  expect(await idsOf(opened.reader)).toEqual(["ses_2", "ses_1", "ses_0"])
  opened.reader.close()
  expect(looks(dirname(path))).toEqual(before)
})

test("of a backup of a database and its WAL without the -shm the newest state is read, without a -shm or a copy", async () => {
  const path = await killedAgent()
  fs.unlinkSync(`${path}-shm`)
  const before = looks(dirname(path))
  using opened = readerOf(path)
  expect(await idsOf(opened.reader)).toEqual(["ses_2", "ses_1", "ses_0"])
  expect(looks(dirname(path))).toEqual(before)
  // Another backup over it, of the same names.
  const later = await killedAgent(5)
  fs.copyFileSync(later, path)
  fs.copyFileSync(`${later}-wal`, `${path}-wal`)
  expect(await idsOf(opened.reader)).toEqual(["ses_4", "ses_3", "ses_2", "ses_1", "ses_0"])
  opened.reader.close()
  expect(Object.keys(looks(dirname(path)))).toEqual(["opencode.db", "opencode.db-wal"])
})

test("left-over files without a database's content beside them create nothing", async () => {
  for (const left of ["-shm", "-wal", "-journal"]) {
    const path = fixtureDatabase()
    fs.writeFileSync(`${path}${left}`, "")
    const before = looks(dirname(path))
    using opened = readerOf(path)
    expect(await idsOf(opened.reader)).toHaveLength(9)
    expect(looks(dirname(path))).toEqual(before)
  }
})

test("a database in rollback mode is read while its journal is there", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}`)
  const writer = new Database(path)
  writer.run("PRAGMA cache_size = 1")
  writer.run("BEGIN IMMEDIATE")
  writer.run(sessionRow({ id: "ses_2" }))
  expect(fs.existsSync(`${path}-journal`)).toBe(true)
  using opened = readerOf(path)
  expect(await idsOf(opened.reader)).toEqual(["ses_1"])
  writer.run("COMMIT")
  expect((await idsOf(opened.reader)).sort()).toEqual(["ses_1", "ses_2"])
  writer.close()
})

test("names with any characters, and links to a database, are opened", async () => {
  const folder = join(tempFolder(), "a # %20? é&=1")
  fs.mkdirSync(folder)
  const path = join(folder, "opencode.db")
  fs.copyFileSync(fixtureDatabase(), path)
  using opened = readerOf(path)
  expect(await idsOf(opened.reader)).toHaveLength(9)
  const link = join(tempFolder(), "opencode.db")
  const killed = await killedAgent()
  fs.symlinkSync(killed, link)
  using linked = readerOf(link)
  expect(await idsOf(linked.reader)).toEqual(["ses_2", "ses_1", "ses_0"])
})

test("what the agent commits is seen by the next question, its WAL can be emptied while we rest, and it can tidy up when it ends", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}`)
  await using agent = await startAgent(path)
  using opened = readerOf(path)
  const { reader } = opened
  expect(await idsOf(reader)).toEqual(["ses_1"])
  await agent.say(`run ${sessionRow({ id: "ses_2", updated: 2 })}`)
  expect(await idsOf(reader)).toEqual(["ses_2", "ses_1"])
  // A listing that is half taken holds nothing either.
  const rows = Array.from({ length: 300 }, (_, at) => messageRow(`msg_${1000 + at}`, "ses_1", at))
  await agent.say(`run BEGIN; ${rows.join(" ")} COMMIT`)
  const messages = reader.messages("ses_1", "asc")
  expect((await messages.next()).value).toHaveLength(256)
  expect(JSON.parse(await agent.say("checkpoint"))).toMatchObject({ busy: 0 })
  expect(fs.statSync(`${path}-wal`).size).toBe(0)
  await agent.say(`run ${messageRow("msg_9999", "ses_1", 9999)}`)
  expect((await messages.next()).value).toHaveLength(45)
  await untilLetGo(path)
  await agent.say("quit")
  await agent.exited
  expect(fs.readdirSync(dirname(path))).toEqual(["opencode.db"])
  expect(await idsOf(reader)).toEqual(["ses_2", "ses_1"])
  expect(fs.readdirSync(dirname(path))).toEqual(["opencode.db"])
  // Started again, and another database put in its place.
  await using again = await startAgent(path)
  await again.say(`run ${sessionRow({ id: "ses_3", updated: 3 })}`)
  expect(await idsOf(reader)).toEqual(["ses_3", "ses_2", "ses_1"])
  const other = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_other" })}`)
  for (const suffix of ["-wal", "-shm"]) fs.unlinkSync(`${path}${suffix}`)
  fs.renameSync(other, path)
  expect(await idsOf(reader)).toEqual(["ses_other"])
})

test("a database that is rewritten in place is not answered from memory, within one tick of the clock or long after", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}`)
  using opened = readerOf(path)
  const title = async (): Promise<unknown> => {
    const [entry] = await opened.reader.sessions(ALL, { bodies: true })
    return JSON.parse(entry?.body ?? "{}").title
  }
  const writer = new Database(path)
  writer.run("PRAGMA synchronous = OFF")
  writer.run("PRAGMA journal_mode = MEMORY")
  for (let round = 0; round < 300; round++) {
    writer.run(`UPDATE session SET title = 'round ${round}'`)
    expect(await title()).toBe(`round ${round}`)
  }
  await untilProven()
  expect(await title()).toBe("round 299")
  writer.run("UPDATE session SET title = 'later'")
  expect(await title()).toBe("later")
  writer.close()
})

test("a connection that was opened within a tick of the clock after a change answers only once", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}`)
  const early = new Connection(lookAt(path), path)
  await untilProven()
  const late = new Connection(lookAt(path), path)
  const files = lookAt(path)
  expect([early.fits(files), late.fits(files)]).toEqual([false, true])
  early.close()
  late.close()
})

test("what is changed beneath a reader without locks is read again", () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${sessionRow({ id: "ses_2" })}`)
  const writer = new Database(path)
  using opened = readerOf(path)
  let runs = 0
  const seen = opened.reader.database.snapshot((view) => {
    const before = listSessions(view, ALL, undefined, 10).length
    if (runs++ === 0) writer.run("DELETE FROM session WHERE id = 'ses_1'")
    return [before, countSessions(view, ALL)]
  })
  expect({ runs, seen }).toEqual({ runs: 2, seen: [1, 1] })
  writer.close()
})

test("one that goes on changing is told in the end", () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}`)
  const writer = new Database(path)
  using opened = readerOf(path)
  const changing = () =>
    opened.reader.database.snapshot(() => writer.run("UPDATE session SET time_updated = time_updated + 1"))
  expect(changing).toThrow(expect.objectContaining({ code: "UNREADABLE", path }))
  writer.close()
})

test("an agent that ends between the look at its files and their opening gets no new WAL", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}`)
  await using agent = await startAgent(path)
  await agent.say("run UPDATE session SET time_updated = 2")
  const files = lookAt(path)
  expect(files.wal).toBeDefined()
  await agent.say("quit")
  await agent.exited
  expect(() => new Connection(files, path)).toThrow(Overtaken)
  expect(fs.readdirSync(dirname(path))).toEqual(["opencode.db"])
})

test("however much was asked, no file stays open behind a reader", async () => {
  const path = fixtureDatabase()
  using opened = readerOf(path)
  const { reader } = opened
  // All on one connection, and more than the statements that are closed by themselves.
  await untilProven()
  for (const order of ["updated", "created"] as const)
    for (const direction of ["asc", "desc"] as const)
      for (const archived of ["include", "exclude", "only"] as const)
        for (const filter of [{}, { parentID: null }, { directory: "/" }])
          await reader.sessions({ order, direction, archived, ...filter })
  expect(openFiles(path)).toEqual([path])
  reader.close()
  expect(openFiles(path)).toEqual([])
})

test("a moment vouches for what was read after it until something is committed", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })}`)
  await untilProven()
  using opened = readerOf(path)
  const { reader } = opened
  const alone = reader.moment()
  expect(reader.isStill(alone)).toBe(true)
  await using agent = await startAgent(path)
  await agent.say("run UPDATE session SET time_updated = 4")
  expect(await idsOf(reader)).toEqual(["ses_1"])
  const moment = reader.moment()
  expect(reader.isStill(moment)).toBe(true)
  await agent.say("run UPDATE session SET time_updated = 5")
  expect(reader.isStill(moment)).toBe(false)
  expect(reader.isStill(alone)).toBe(false)
  const later = reader.moment()
  await agent.say("checkpoint")
  await untilLetGo(path)
  // The connection that knew is gone, and the files have changed: that is no proof.
  expect(reader.isStill(later)).toBe(false)
})
