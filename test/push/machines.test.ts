import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore, postgres } from "../../src/index.ts"
import { bytecodeOf, SHORT_LIVED } from "../support/bytecode.ts"
import { describePostgres } from "../support/postgres.ts"
import { Random } from "../support/random.ts"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { pushed } from "./pushing.ts"
import { type PlainSession, plainSessions, publishedIn } from "./tables.ts"

const childPath = bytecodeOf(join(import.meta.dir, "push-child.ts"))
const MACHINES = 3
const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
const KILLS = LONG ? 200 : 25
/** Of these, kills of the server. */
const SERVER_KILLS = LONG ? 32 : 4
const LIMIT_MS = LONG ? 1_800_000 : 300_000
const SESSIONS = 12

/** A machine's store, and what a plain computation says that is published of it. */
interface Machine {
  readonly name: string
  readonly directory: string
  /** Sessions that were here at the end of a push, or are now: what was removed stays published. */
  readonly published: Record<string, PlainSession>
  clock: number
}

/** Changes something in a store, as an agent would; each change makes the session newer. */
function change(machine: Machine, random: Random): void {
  const { directory } = machine
  const id = `ses_${random.below(SESSIONS)}`
  const path = `session/proj/${id}.json`
  machine.clock += 1 + random.below(5)
  const isHere = fs.existsSync(join(directory, path))
  if (isHere && random.chance(0.1)) {
    fs.rmSync(join(directory, path))
    fs.rmSync(join(directory, "message", id), { recursive: true, force: true })
    return
  }
  const messages =
    isHere && fs.existsSync(join(directory, "message", id))
      ? fs.readdirSync(join(directory, "message", id))
      : []
  if (messages.length > 2 && random.chance(0.2))
    fs.rmSync(join(directory, "message", id, random.pick(messages)))
  for (let more = 1 + random.below(3); more > 0; more--) {
    const name = `msg_${id}_${random.below(8)}`
    put(directory, `message/${id}/${name}.json`, message(name, id, random.below(9)))
    for (let parts = random.below(4); parts > 0; parts--) {
      const partID = `prt_${random.below(6)}`
      put(
        directory,
        `part/${name}/${partID}.json`,
        part(partID, name, `${machine.name} says ${random.below(1e6)}`),
      )
    }
  }
  if (random.chance(0.3)) put(directory, `todo/${id}.json`, [{ content: String(random.below(1e6)) }])
  // Last, as agents do.
  put(
    directory,
    path,
    session(id, { title: `${id} on ${machine.name}`, time: { created: 1, updated: machine.clock } }),
  )
}

describePostgres("three machines that push at once", (server) => {
  test(
    `${KILLS} random kills of clients and of the server leave what a plain computation says, and nothing is published twice`,
    async () => {
      const url = await server.database()
      const random = new Random(Number(process.env.SESSIONDEX_TEST_SEED ?? 18))
      const machines: Machine[] = []
      for (let at = 0; at < MACHINES; at++) {
        const machine: Machine = {
          name: `machine ${at}`,
          directory: join(tempFolder(), "store"),
          published: {},
          clock: at,
        }
        for (let changes = 0; changes < 30; changes++) change(machine, random)
        await pushed(machine.directory, url, { name: machine.name })
        Object.assign(machine.published, plainSessions(machine.directory))
        machines.push(machine)
      }
      // Each number that is given is written down, with the content that it was given for.
      await server.sql(
        `create table told (machine text, session text, hash text, sequence bigint primary key);
       create function tell() returns trigger language plpgsql as $$ begin
         if new.sequence > 0 then insert into told values (new.machine, new.id, new.hash, new.sequence); end if; return new; end $$;
       create trigger tell after update of sequence on sessiondex.session for each row execute function tell()`,
        url,
      )
      let kills = 0
      let isOver = false
      let clientKills = 0
      const work = async (machine: Machine): Promise<void> => {
        while (!isOver) {
          for (let changes = 1 + random.below(4); changes > 0; changes--) change(machine, random)
          const here = plainSessions(machine.directory)
          const child = Bun.spawn(["bun", childPath(), machine.directory, url], {
            env: { ...process.env, ...SHORT_LIVED },
            stdout: "pipe",
            stderr: "inherit",
          })
          const willBeKilled = random.chance(0.8)
          // From before it connects until after it is done.
          const timer = willBeKilled
            ? setTimeout(() => child.kill("SIGKILL"), 150 + random.below(500))
            : undefined
          const answer = await new Response(child.stdout).text()
          await child.exited
          clearTimeout(timer)
          if (child.signalCode === "SIGKILL") {
            kills++
            clientKills++
          } else if ("sessions" in JSON.parse(answer)) Object.assign(machine.published, here)
          // Whether what was there when it was killed came to be published is told by the next push that ends; what goes before that may have been.
          else expect(JSON.parse(answer)).toMatchObject({ code: "FLEET_UNAVAILABLE" })
          await settle(machine)
        }
      }
      /** Ends a push that was cut short, so that what is published is known before sessions go. */
      const settle = async (machine: Machine): Promise<void> => {
        for (;;) {
          try {
            const here = plainSessions(machine.directory)
            const { left } = await pushed(machine.directory, url)
            expect(left).toEqual([])
            Object.assign(machine.published, here)
            return
          } catch (error) {
            expect(error).toMatchObject({ code: "FLEET_UNAVAILABLE" })
          }
        }
      }
      const killServer = async (): Promise<void> => {
        for (let at = 0; at < SERVER_KILLS; at++) {
          await Bun.sleep(200 + random.below(1_500))
          await server.stop("immediate")
          kills++
          await Bun.sleep(random.below(300))
          await server.start()
        }
        while (kills < KILLS) await Bun.sleep(50)
        isOver = true
      }
      await Promise.all([...machines.map(work), killServer()])
      expect(clientKills).toBeGreaterThan(KILLS / 2)

      for (const machine of machines) await settle(machine)
      const wanted = Object.fromEntries(machines.map(({ name, published }) => [name, published]))
      expect(await publishedIn(server, url)).toEqual(wanted)
      // Nothing was published twice in a row, and nothing is left to be published.
      const told = await server.sql("select machine, session, hash from told order by sequence", url)
      expect(told.length).toBeGreaterThan(KILLS)
      const last = new Map<string, unknown>()
      for (const { machine, session, hash } of told) {
        const of = `${machine} ${session}`
        expect({ of, again: last.get(of) === hash }).toEqual({ of, again: false })
        last.set(of, hash)
      }
      for (const { directory } of machines)
        expect(await pushed(directory, url)).toMatchObject({ sessions: { added: 0, changed: 0 }, records: 0 })

      // Whoever reads it finds each session once, from the machine where it is newest, and whole.
      const ids = await server.sql("select id, name from sessiondex.machine order by id", url)
      const best = new Map<string, PlainSession & { updated: number }>()
      for (const { name } of ids)
        for (const [id, one] of Object.entries(wanted[String(name)] ?? {})) {
          const { updated } = (one.body as { time: { updated: number } }).time
          if (updated > (best.get(id)?.updated ?? -1)) best.set(id, { ...one, updated })
        }
      await using store = await openStore({
        directory: tempFolder(),
        roots: [postgres(url)],
        backgroundIndex: false,
      })
      expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
      const listed = await Array.fromAsync(store.sessions.list())
      expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(best.keys()))
      expect(listed).toHaveLength(best.size)
      for (const body of listed) {
        const one = best.get(body.id)
        expect<unknown>(body).toEqual(one?.body)
        const messages = await Array.fromAsync(store.messages.stream(body.id, { direction: "asc" }))
        expect<unknown>(messages.map(({ info, parts }) => ({ body: info, parts }))).toEqual(one?.messages)
      }
    },
    LIMIT_MS,
  )
})
