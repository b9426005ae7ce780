import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { describePostgres, type PostgresServer } from "../support/postgres.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { pushed, putSmall, small } from "./pushing.ts"
import { StepProxy } from "./step-proxy.ts"
import { plainSessions, publishedIn } from "./tables.ts"

const childPath = bytecodeOf(join(import.meta.dir, "push-child.ts"))
const AT_ONCE = 3
const KILLS = process.env.SESSIONDEX_TEST_LONG ? 400 : 24

function start(directory: string, url: string, options: object = {}) {
  const child = Bun.spawn(["bun", childPath(), directory, url, JSON.stringify(options)], {
    env: { ...process.env, ...SHORT_LIVED },
    stdout: "pipe",
    stderr: "inherit",
  })
  const answer = new Response(child.stdout).text()
  return { child, answer }
}

/** Numbers of a machine's sessions: who was published again has another one. */
async function numbers(
  server: PostgresServer,
  url: string,
  machine: string,
): Promise<Record<string, unknown>> {
  const rows = await server.sql(
    `select s.id, sequence::int as sequence from sessiondex.session s join sessiondex.machine m on m.id = machine where name = '${machine}'`,
    url,
  )
  return Object.fromEntries(rows.map(({ id, sequence }) => [id, sequence]))
}

describePostgres("a push that is killed", (server) => {
  test(`at any step (${KILLS} of them), and run again, ends as one that was not: nothing half, and nothing twice`, async () => {
    const url = await server.database()
    const base = small("ses_1")
    putSmall(base, "ses_2")
    putSmall(base, "ses_gone")
    const old = plainSessions(base)
    const seen = new Set<string>()
    let runs = 0
    /** Pushes with a kill at one step; 0 lets it end. Gives how many steps there were. */
    const run = async (killAt: number): Promise<number> => {
      const machine = `machine ${++runs}`
      const directory = join(tempFolder(), "store")
      fs.cpSync(base, directory, { recursive: true })
      await pushed(directory, url, { name: machine })
      // One that changed and lost a message, a new one, and one that went.
      fs.rmSync(join(directory, "session/proj/ses_gone.json"))
      fs.rmSync(join(directory, "message/ses_1/msg_ses_1_a.json"))
      put(directory, "session/proj/ses_1.json", session("ses_1", { time: { created: 1000, updated: 2000 } }))
      put(directory, "message/ses_1/msg_new.json", message("msg_new", "ses_1", 9))
      put(directory, "todo/ses_1.json", [])
      put(directory, "project/proj.json", { id: "proj" })
      putSmall(directory, "ses_new")
      const wanted = plainSessions(directory)
      let steps = 0
      const proxy = new StepProxy(url, () => {
        if (++steps === killAt) child.kill("SIGKILL")
      })
      const { child, answer } = start(directory, proxy.url, { delete: true })
      await child.exited
      proxy.stop()
      if (killAt === 0) {
        const sessions = { added: 1, changed: 1, unchanged: 1, removed: 1 }
        expect(JSON.parse(await answer)).toMatchObject({ sessions })
      } else expect(child.signalCode).toBe("SIGKILL")
      // What the server had in hand when its client went is done or undone when its lock is to be had.
      await server.sql(`select 1 from sessiondex.machine where name = '${machine}' for update`, url)
      const published = (await publishedIn(server, url, machine))[machine] ?? {}
      const left = new Set<string>()
      for (const id of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
        const isNew = Bun.deepEquals(published[id], wanted[id])
        const state = isNew ? "new" : Bun.deepEquals(published[id], old[id]) ? "old" : "half"
        expect({ killAt, id, state }).not.toMatchObject({ state: "half" })
        left.add(`${id} ${state}`)
      }
      seen.add([...left].sort().join())
      const known = await numbers(server, url, machine)
      expect(await pushed(directory, url, { delete: true })).toMatchObject({ left: [] })
      expect(await publishedIn(server, url, machine)).toEqual({ [machine]: wanted })
      const now = await numbers(server, url, machine)
      for (const id of Object.keys(wanted))
        if (left.has(`${id} new`))
          expect({ killAt, id, number: now[id] }).toEqual({ killAt, id, number: known[id] })
      await server.sql(`delete from sessiondex.machine where name = '${machine}'`, url)
      return steps
    }
    const steps = await run(0)
    expect(steps).toBeGreaterThan(60)
    // Before a piece that is sent, and after it; all along the way. The last ones find everything done.
    const last = steps - 6
    const every = Math.max(1, last / KILLS)
    let next = 0
    const work = async (): Promise<void> => {
      while (Math.ceil(next * every) < last) await run(Math.floor(next++ * every) + 1)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    // They were killed between every two sessions.
    expect(seen.size).toBeGreaterThan(3)
  }, 300_000)
})
