import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { openStore } from "../../src/index.ts"
import { FleetConnection } from "../../src/postgres/connection.ts"
import { beginPush } from "../../src/push/begin.ts"
import { MachineFile } from "../../src/push/machine.ts"
import { describePostgres } from "../support/postgres.ts"
import { put, tempFolder } from "../support/temp.ts"
import { pushed, putSmall, small } from "./pushing.ts"
import { plainSessions, publishedIn } from "./tables.ts"

const FILE = ".sessiondex-machine.json"

/** The same disk a second time, with all that is on it. */
function copyOfDisk(directory: string): string {
  const copy = join(tempFolder(), "copy")
  fs.cpSync(directory, copy, { recursive: true, preserveTimestamps: true })
  return copy
}

describePostgres("machines", (server) => {
  test("one keeps its id and name in its own folder, whatever becomes of the index", async () => {
    const url = await server.database()
    const directory = small()
    const first = await pushed(directory, url)
    expect(first.machine).toEqual({ id: expect.stringMatching(/^mch_[\w-]{20}$/), name: hostname() })
    fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
    expect((await pushed(directory, url)).machine).toEqual(first.machine)
    expect((await pushed(directory, url, { name: "laptop" })).machine).toEqual({
      id: first.machine.id,
      name: "laptop",
    })
    expect((await pushed(directory, url)).machine.name).toBe("laptop")
    expect(await server.sql("select id, name from sessiondex.machine", url)).toEqual([
      { id: first.machine.id, name: "laptop" },
    ])
    expect(fs.statSync(join(directory, FILE)).mode & 0o777).toBe(0o600)
    const elsewhere = tempFolder()
    expect((await pushed(directory, url, { machineFolder: join(elsewhere, "deep") })).machine.id).not.toBe(
      first.machine.id,
    )
    expect(fs.readdirSync(join(elsewhere, "deep"))).toContain(FILE)
  })

  test("a copied disk is noticed by whichever pushes second, and can go on as a machine of its own", async () => {
    const url = await server.database()
    const directory = small()
    const { machine } = await pushed(directory, url, { name: "one" })
    const copy = copyOfDisk(directory)
    putSmall(copy, "ses_copy")
    await pushed(copy, url)
    const both = await publishedIn(server, url)
    for (const dryRun of [false, true])
      await expect(pushed(directory, url, { dryRun })).rejects.toMatchObject({
        code: "MACHINE_COPIED",
        hint: expect.stringContaining("--new-machine"),
      })
    expect(await publishedIn(server, url)).toEqual(both)
    const own = await pushed(directory, url, { newMachine: true, name: "two" })
    expect(own.machine.id).not.toBe(machine.id)
    expect(own.sessions).toMatchObject({ added: 1 })
    await pushed(directory, url)
    await pushed(copy, url)
    expect(await publishedIn(server, url)).toEqual({
      one: plainSessions(copy),
      two: plainSessions(directory),
    })
  })

  test("a disk copied while a push was under way is noticed too", async () => {
    const url = await server.database()
    const directory = small()
    await pushed(directory, url)
    const copy = copyOfDisk(directory)
    const fleet = new FleetConnection(url)
    try {
      await beginPush(fleet, new MachineFile(fileSystem, directory), {})
    } finally {
      await fleet.close()
    }
    await expect(pushed(copy, url)).rejects.toMatchObject({ code: "MACHINE_COPIED" })
    await pushed(directory, url)
  })

  test("a push killed after its mark was kept here, or left there, raises no false alarm; nor does a database from a backup", async () => {
    const url = await server.database()
    const directory = small()
    await pushed(directory, url)
    const token = async () => (await server.sql("select token from sessiondex.machine", url))[0]?.token
    const old = await token()
    const file = new MachineFile(fileSystem, directory)
    const known = file.read()
    if (!known) throw new Error("There is no machine")
    await file.write(known, "postgres://somewhere", "kept-and-never-left")
    await pushed(directory, url)
    expect(await token()).not.toBe(old)
    await server.sql(`update sessiondex.machine set token = '${old}'`, url)
    await pushed(directory, url)
    await server.sql("update sessiondex.machine set token = 'kept-and-never-left'", url)
    await pushed(directory, url)
    await server.sql("update sessiondex.machine set token = 'of-nobody-here'", url)
    await expect(pushed(directory, url)).rejects.toMatchObject({ code: "MACHINE_COPIED" })
  })

  test("an identity that is damaged is told and left, and begins anew only when that is said", async () => {
    const url = await server.database()
    const directory = small()
    for (const damaged of ["", "{", "[]", '{"id":1,"name":"x"}', '{"id":"","name":"x"}']) {
      put(directory, FILE, damaged)
      await expect(pushed(directory, url)).rejects.toMatchObject({
        code: "CORRUPT",
        path: join(directory, FILE),
      })
      expect(fs.readFileSync(join(directory, FILE), "utf8")).toBe(damaged)
    }
    await pushed(directory, url, { newMachine: true })
    await pushed(directory, url)
  })

  test("two pushes of one machine wait for each other; one whose mark was replaced stops", async () => {
    const url = await server.database()
    const directory = small()
    for (let at = 2; at < 20; at++) putSmall(directory, `ses_${at}`)
    const results = await Promise.all([
      pushed(directory, url),
      pushed(directory, url),
      pushed(directory, url),
    ])
    expect(results.reduce((sum, { sessions }) => sum + sessions.added, 0)).toBe(19)
    for (let at = 0; at < 9; at++) putSmall(directory, `ses_late_${at}`)
    await using store = await openStore({ directory, backgroundIndex: false })
    const slow = store.push(url)
    await slow.next()
    await server.sql("update sessiondex.machine set token = 'another'", url)
    const rest = Array.fromAsync(slow)
    await expect(rest).rejects.toMatchObject({ code: "LOCKED" })
    const [row] = await server.sql("select count(*)::int as count from sessiondex.session", url)
    expect(Number(row?.count)).toBeLessThan(28)
  })

  test("a store that is only read needs a place for it", async () => {
    const url = await server.database()
    const directory = small()
    await using store = await openStore({ directory, readOnly: true, backgroundIndex: false })
    await expect(store.push(url).next()).rejects.toMatchObject({ code: "READ_ONLY" })
    const pushing = store.push(url, { machineFolder: tempFolder() })
    expect((await pushing.next()).value).toMatchObject({ action: "added" })
    await pushing.return(undefined as never)
    expect(fs.readdirSync(directory).filter((name) => name.startsWith("."))).toEqual([])
  })
})

describePostgres("forgetting", (server) => {
  test("a session goes for all machines with those below it, and stays away", async () => {
    const url = await server.database()
    const [one, two] = [small("ses_1"), small("ses_1")]
    for (const directory of [one, two]) {
      putSmall(directory, "ses_child", { parentID: "ses_1" } as object)
      putSmall(directory, "ses_grandchild", { parentID: "ses_child" } as object)
      putSmall(directory, "ses_other")
    }
    await pushed(one, url, { name: "one" })
    await pushed(two, url, { name: "two", exclude: "none" })
    await using store = await openStore({ directory: one, backgroundIndex: false })
    const [before] = await server.sql("select max(sequence)::int as sequence from sessiondex.session", url)
    const gone = await store.forget(url, "ses_1")
    expect({ ...gone, sessions: gone.sessions.toSorted() }).toEqual({
      sessions: ["ses_1", "ses_child", "ses_grandchild"],
      copies: 6,
    })
    const rest = { ses_other: plainSessions(one).ses_other }
    expect(await publishedIn(server, url)).toEqual({ one: rest, two: rest } as never)
    const told = await server.sql(
      "select count(*)::int as count, min(sequence)::int as first from sessiondex.removal",
      url,
    )
    expect(told).toEqual([{ count: 6, first: Number(before?.sequence) + 1 }])
    // Neither a change nor force brings it back.
    putSmall(one, "ses_1", { title: "changed" } as object)
    for (const options of [{}, { force: true }, { newMachine: true, name: "three" }]) {
      const again = await pushed(one, url, options)
      expect(again).toMatchObject({ sessions: { forgotten: 3 }, left: [] })
    }
    expect(Object.keys((await publishedIn(server, url)).three ?? {})).toEqual(["ses_other"])
    expect(await store.forget(url, "ses_1")).toEqual({ sessions: ["ses_1"], copies: 0 })
    expect(await store.forget(url, "ses_never")).toMatchObject({ copies: 0 })
    await expect(store.forget(url, "../x")).rejects.toMatchObject({ code: "INVALID_KEY" })
    await expect(store.forget(await server.database(), "ses_1")).rejects.toMatchObject({
      code: "FLEET_SCHEMA",
    })
  })

  test("one that is forgotten while a push has it before it does not come", async () => {
    const url = await server.database()
    const directory = small("ses_00")
    for (let at = 1; at < 12; at++)
      putSmall(directory, `ses_${at}`, { time: { created: 1000, updated: 1000 + at } } as object)
    await using store = await openStore({ directory, backgroundIndex: false })
    const pushing = store.push(url, { name: "one" })
    await pushing.next()
    expect(await store.forget(url, "ses_00")).toMatchObject({ copies: 0 })
    let step = await pushing.next()
    while (!step.done) step = await pushing.next()
    expect(step.value).toMatchObject({ sessions: { added: 11, forgotten: 1 }, left: [] })
    expect((await publishedIn(server, url)).one).not.toHaveProperty("ses_00")
  })
})
