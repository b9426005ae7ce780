import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { findSources, ownFolder } from "../../src/index.ts"
import { cliHere, cliIn, lines } from "../cli/in-process.ts"
import { homeOfAll } from "../support/home.ts"
import { describePostgres } from "../support/postgres.ts"
import { put } from "../support/temp.ts"
import { planted } from "./planted.ts"
import { small } from "./pushing.ts"
import { publishedIn } from "./tables.ts"

describePostgres("pushing on the command line", (server) => {
  test("lists what would go, publishes, tells what is left, forgets", async () => {
    const url = await server.database()
    const directory = small()
    const { text = "" } = planted["github-token"] ?? {}
    put(directory, "part/msg_ses_1_a/prt_key.json", { type: "text", text })
    const dry = await cliHere(directory, "push", url, "--dry-run", "--as", "laptop")
    expect(dry).toMatchObject({ code: 0, err: "" })
    expect(dry.out).toContain("ses_1  Session ses_1  (added, 6 records; would mask 1 github-token)")
    expect(dry.out).toContain(`laptop to postgres://127.0.0.1:${server.port}/`)
    expect(dry.out).toContain("would be masked or left out: 1 github-token")
    expect(dry.out).not.toContain("fleet@")
    const real = await cliHere(directory, "--json", "push", url, "--as", "laptop")
    expect(lines(real.out)).toMatchObject([
      { sessionID: "ses_1", action: "added", records: 6, masked: { "github-token": 1 } },
      { machine: { name: "laptop" }, sessions: { added: 1 }, left: [] },
    ])
    expect((await cliHere(directory, "push", url)).out).toContain(
      "added 0, changed 0, taken back 0 sessions, 0 records; 1 unchanged",
    )
    fs.rmSync(join(directory, "message/ses_1/msg_ses_1_a.json"))
    const poorer = await cliHere(directory, "push", url)
    expect(poorer.code).toBe(1)
    expect(poorer.err).toContain("left: CONFLICT")
    expect(await cliHere(directory, "push", url, "--force")).toMatchObject({ code: 0, err: "" })
    expect(await cliHere(directory, "push", url, "--no-mask")).toMatchObject({ code: 0 })
    const forgotten = await cliHere(directory, "forget", url, "ses_1")
    expect(forgotten).toMatchObject({
      code: 0,
      out: "ses_1\nforgotten 1 session, of which there were 1 copy\n",
    })
    expect((await cliHere(directory, "push", url)).out).toContain("1 forgotten")
    expect(await publishedIn(server, url)).toEqual({ laptop: {} })
  })

  test("tells what is wrong with the database, and never a password", async () => {
    const directory = small()
    const wrong = [
      [`postgres://me:s3cret-word@127.0.0.1:1/none`, 1, "FLEET_UNAVAILABLE"],
      ["https://me:s3cret-word@127.0.0.1/none", 2, ""],
      ["postgres://me:s3cret-word@db.example.org/none?sslmode=disable", 2, "in the clear"],
    ] as const
    for (const [url, code, told] of wrong)
      for (const command of [
        ["push", url],
        ["push", url, "--dry-run"],
        ["forget", url, "ses_1"],
      ]) {
        const ran = await cliHere(directory, ...command)
        expect({ url, ...ran }).toMatchObject({ code, err: expect.stringContaining(told) })
        expect(ran.err + ran.out).not.toContain("s3cret-word")
      }
    expect(await cliHere(directory, "push")).toMatchObject({ code: 2 })
  })

  test("publishes every history of a home, each as its own, and keeps who it is in the home's own folder", async () => {
    const url = await server.database()
    const home = homeOfAll()
    const first = await cliIn(home, "push", url, "--json")
    expect(first).toMatchObject({ code: 0 })
    const sources = await server.sql("select distinct source from sessiondex.session order by source", url)
    const names = findSources(home).map(({ name }) => name)
    expect(sources.map(({ source }) => source)).toEqual([...new Set(names)].sort())
    expect(fs.existsSync(join(ownFolder(home), ".sessiondex-machine.json"))).toBe(true)
    const again = lines((await cliIn(home, "push", url, "--json")).out)
    expect(again).toMatchObject([{ sessions: { added: 0, changed: 0 }, records: 0 }])
    const codex = await cliIn(home, "push", url, "--from", "codex", "--json", "--new-machine", "--dry-run")
    const chosen = lines(codex.out).slice(0, -1)
    expect(chosen.length).toBeGreaterThan(3)
    for (const one of chosen) expect(one).toMatchObject({ source: "codex", action: "added" })
  })
})
