import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { WatchFolder } from "../../src/file/folder-watches.ts"
import { openStore, type Store, type StoreChange } from "../../src/index.ts"
import { OpencodeRoot } from "../../src/root/opencode/opencode-root.ts"
import type { RootProvider } from "../../src/root/root.ts"
import {
  databaseOf,
  fixtureDatabase,
  messageRow,
  partRow,
  SCHEMA_1_2,
  sessionRow,
  startAgent,
} from "../root/opencode/support.ts"
import { Random } from "../support/random.ts"
import { tempFolder } from "../support/temp.ts"
import { until } from "./support.ts"

const A = "ses_a"
const B = "ses_b"
const TWO_SESSIONS = `${SCHEMA_1_2} ${sessionRow({ id: A })} ${sessionRow({ id: B, project: "q" })}
  ${messageRow("msg_1", A, 1)} ${partRow("prt_1", "msg_1", A)} ${messageRow("msg_2", A, 2)}`

function databaseRoot(place: string, watch?: WatchFolder): RootProvider {
  return { place, open: (context) => new OpencodeRoot(place, context, { watch }) }
}

/** What is told of a record, without who and where. */
function told({ kind, type, projectID, sessionID, messageID }: StoreChange): string {
  return [type, kind, projectID, sessionID, messageID].filter((name) => name !== undefined).join(" ")
}

function write(path: string, ...statements: string[]): void {
  const db = new Database(path)
  db.run("PRAGMA busy_timeout = 5000")
  db.run(`BEGIN IMMEDIATE; ${statements.join(";")}; COMMIT`)
  db.close()
}

async function watching(path: string, watch?: WatchFolder) {
  const folder = tempFolder()
  const store = await openStore({
    directory: join(folder, "store"),
    indexPath: join(folder, "index"),
    watch: true,
    backgroundIndex: false,
    roots: [databaseRoot(path, watch)],
  })
  const seen: StoreChange[] = []
  const reading = (async () => {
    for await (const change of store.changes()) seen.push(change)
  })()
  await until(() => !["off", "starting"].includes(stateOf(store)))
  return {
    store,
    seen,
    /** Does something, and gives what is told of it until that is among it, each once. */
    async step(change: () => unknown, ...wanted: readonly string[]): Promise<string[]> {
      seen.length = 0
      await change()
      await until(() => wanted.every((one) => seen.map(told).includes(one)))
      return [...new Set(seen.map(told))]
    },
    /** Waits until the times of all that was written prove what is read after them. */
    async settled(): Promise<void> {
      for (let before = -1; before !== seen.length; ) {
        before = seen.length
        await Bun.sleep(1_300)
      }
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await reading
    },
  }
}

function stateOf(store: Store): string {
  return store.health().alsoReading.find(({ watch }) => watch)?.watch?.state ?? "off"
}

test("what the agent writes into its database is told, and by whom and where", async () => {
  const path = databaseOf(TWO_SESSIONS)
  await using watched = await watching(path)
  expect(watched.store.health().alsoReading.flatMap(({ watch }) => watch ?? [])).toEqual([
    { state: "watching", folders: 1 },
  ])
  await watched.step(
    () => write(path, messageRow("msg_3", A, 3)),
    `written session p ${A}`,
    `unknown message ${A}`,
  )
  expect(watched.seen.every(({ by, origin }) => by === "other" && origin === path)).toBe(true)
  await watched.settled()
  // From the second change on it is known which messages there were.
  expect(
    await watched.step(() => write(path, messageRow("msg_4", A, 4)), `written message ${A} msg_4`),
  ).toEqual([`written session p ${A}`, `written message ${A} msg_4`])
  const steps: readonly (readonly [string, string])[] = [
    [`UPDATE part SET time_updated = 9 WHERE id = 'prt_1'`, `written message ${A} msg_1`],
    [partRow("prt_2", "msg_2", A), `written message ${A} msg_2`],
    [`DELETE FROM message WHERE id = 'msg_3'`, `removed message ${A} msg_3`],
    [`UPDATE session SET title = 'New', time_updated = 5 WHERE id = '${B}'`, `written session q ${B}`],
    [sessionRow({ id: "ses_c", updated: 7 }), "written session p ses_c"],
    [`DELETE FROM session WHERE id = 'ses_c'`, "removed session p ses_c"],
    [`UPDATE session SET project_id = 'r', time_updated = 8 WHERE id = '${B}'`, `removed session q ${B}`],
  ]
  for (const [statement, wanted] of steps)
    expect(await watched.step(() => write(path, statement), wanted)).toContain(wanted)
}, 60_000)

test("what is written again within the same millisecond, and so has the same times, is told of again", async () => {
  const path = databaseOf(TWO_SESSIONS)
  await using watched = await watching(path)
  const change = (at: number, text: string): void =>
    write(
      path,
      `UPDATE part SET data = '{"type":"text","text":"${text}"}', time_updated = ${at} WHERE id = 'prt_1'`,
    )
  await watched.step(() => change(Date.now(), "one"), `unknown message ${A}`)
  for (;;) {
    const at = Date.now()
    await watched.step(() => change(at, "two"), `written message ${A} msg_1`)
    watched.seen.length = 0
    change(at, "three")
    // On a machine that was too slow a second had gone by, in which it would have been proven.
    if (Date.now() - at < 800) break
    await watched.settled()
  }
  await until(() => watched.seen.map(told).includes(`written message ${A} msg_1`))
}, 60_000)

test("projects and todos are told of", async () => {
  const path = fixtureDatabase()
  await using watched = await watching(path)
  const db = new Database(path)
  const { id } = db.query<{ id: string }, []>("SELECT id FROM session LIMIT 1").get() ?? { id: "" }
  const { project } = db
    .query<{ project: string }, []>("SELECT id AS project FROM project LIMIT 1")
    .get() ?? {
    project: "",
  }
  db.close()
  const plan = `INSERT INTO todo (session_id, content, status, priority, position, time_created, time_updated)
    VALUES ('${id}', 'Rest', 'pending', 'high', 900, 1, 1)`
  await watched.step(() => write(path, plan), `written todo ${id}`)
  await watched.step(() => write(path, `DELETE FROM todo WHERE session_id = '${id}'`), `removed todo ${id}`)
  await watched.step(
    () => write(path, `UPDATE project SET name = 'Else' WHERE id = '${project}'`),
    `written project ${project}`,
  )
}, 60_000)

test("a database that goes, comes back or is another one is anything that may have changed", async () => {
  const path = databaseOf(TWO_SESSIONS)
  const away = `${path}.away`
  await using watched = await watching(path)
  await watched.step(() => fs.renameSync(path, away), "unknown store")
  await watched.step(() => fs.renameSync(away, path), "unknown store")
  await watched.settled()
  const other = databaseOf(
    `${SCHEMA_1_2} ${sessionRow({ id: A })} ${sessionRow({ id: "ses_z", updated: 3 })}`,
    join(tempFolder(), "o.db"),
  )
  await watched.step(() => fs.renameSync(other, path), `removed session q ${B}`, "written session p ses_z")
}, 60_000)

test("a database that is not there yet is watched for, and so is a link that is turned", async () => {
  const folder = tempFolder()
  const path = join(folder, "link.db")
  await using watched = await watching(path)
  const first = databaseOf(TWO_SESSIONS)
  await watched.step(() => fs.symlinkSync(first, path), "unknown store")
  await watched.step(() => write(first, messageRow("msg_9", B, 3)), `unknown message ${B}`)
  const second = databaseOf(`${TWO_SESSIONS} ${messageRow("msg_5", A, 5)}`)
  await watched.step(() => {
    fs.symlinkSync(second, `${path}.new`)
    fs.renameSync(`${path}.new`, path)
  }, `written session p ${A}`)
  await watched.step(() => write(second, messageRow("msg_6", B, 3)), `written session q ${B}`)
}, 60_000)

test("where the system refuses the watch its files are looked at now and then", async () => {
  const path = databaseOf(TWO_SESSIONS)
  const refuse: WatchFolder = () => {
    throw Object.assign(new Error("no space"), { code: "ENOSPC" })
  }
  await using watched = await watching(path, refuse)
  expect(stateOf(watched.store)).toBe("sweeping")
  await watched.step(() => write(path, messageRow("msg_3", B, 3)), `unknown message ${B}`)
}, 60_000)

test("a change to a session that nobody looked into for long is found, and quiet is kept where nothing changes", async () => {
  const many = Array.from({ length: 200 }, (_, at) =>
    sessionRow({ id: `ses_${at}`, updated: 100 + at }),
  ).join("\n")
  const path = databaseOf(`${SCHEMA_1_2} ${many} ${messageRow("msg_1", "ses_0", 1)}`)
  await using watched = await watching(path)
  // It is not among those that were updated last, and its own row stays as it is.
  await watched.step(() => write(path, messageRow("msg_2", "ses_0", 2)), "unknown message ses_0")
  await watched.settled()
  const { length } = watched.seen
  await Bun.sleep(1_000)
  expect(watched.seen).toHaveLength(length)
}, 60_000)

test("whatever happens to a database in a random order, each difference is told of", async () => {
  const path = databaseOf(TWO_SESSIONS)
  await using agent = await startAgent(path)
  await using watched = await watching(path)
  const random = new Random(5)
  let [next, clock] = [10, 1_000]
  const sessions = [A, B]
  for (let round = 0; round < 12; round++) {
    const before = stateOfRows(path)
    watched.seen.length = 0
    for (let step = random.below(6); step >= 0; step--) {
      const session = random.pick(sessions)
      const at = ++clock
      const id = ++next
      const statements = [
        () => messageRow(`msg_${id}`, session, at),
        () => `UPDATE message SET time_updated = ${at} WHERE id = 'msg_${random.below(next)}'`,
        () => `DELETE FROM message WHERE id = 'msg_${random.below(next)}'`,
        () => `UPDATE session SET title = 't${id}', time_updated = ${at} WHERE id = '${session}'`,
        () => {
          sessions.push(`ses_${id}`)
          return sessionRow({ id: `ses_${id}`, updated: at })
        },
        () => `DELETE FROM session WHERE id = '${sessions.at(random.below(sessions.length) + 2) ?? "none"}'`,
      ]
      expect(await agent.say(`run ${random.pick(statements)()}`)).toBe("done")
      if (random.chance(0.3)) await Bun.sleep(random.below(150))
    }
    const after = stateOfRows(path)
    const covers = (key: string): boolean => {
      const all = new Set(watched.seen.map(told))
      const [kind = "", folder = "", id = ""] = key.split(" ")
      return (
        ["written", "removed"].some((type) => all.has(`${type} ${key}`)) ||
        all.has("unknown store") ||
        (kind === "message" && all.has(`unknown message ${folder}`) && id !== "")
      )
    }
    const differ = [...new Set([...before.keys(), ...after.keys()])].filter(
      (key) => before.get(key) !== after.get(key),
    )
    await until(() => differ.every(covers))
  }
}, 120_000)

/** Every session and message, as `session <project> <id>` and `message <session> <id>`. */
function stateOfRows(path: string): Map<string, string> {
  const db = new Database(path, { readonly: true })
  const rows = db
    .query<{ key: string; text: string }, []>(
      `SELECT 'session ' || project_id || ' ' || id AS key, title || time_updated AS text FROM session
       UNION ALL SELECT 'message ' || session_id || ' ' || id, data || time_updated FROM message`,
    )
    .all()
  db.close()
  return new Map(rows.map(({ key, text }) => [key, text]))
}
