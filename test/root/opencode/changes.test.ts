import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import type { Stamped } from "../../../src/root/opencode/changes.ts"
import {
  databaseOf,
  fixtureDatabase,
  idsOf,
  laterDatabase,
  messageRow,
  partRow,
  readerOf,
  SCHEMA_1_2,
  sessionRow,
} from "./support.ts"

async function gather(runs: AsyncIterable<readonly Stamped[]>): Promise<Map<string, string>> {
  const stamps = new Map<string, string>()
  for await (const run of runs) for (const { id, stamp } of run) stamps.set(id, stamp)
  return stamps
}

/** The keys whose stamps differ, or that only one of the two has. */
function changed(before: Map<string, string>, after: Map<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((id) => before.get(id) !== after.get(id))
    .sort()
}

function write(path: string, ...statements: string[]): void {
  const db = new Database(path)
  for (const statement of statements) db.run(statement)
  db.close()
}

const A = "ses_de9114157ffeUhFPlpgXld7zEY"
const B = "ses_de911128bffe0PzE5fpevrensE"

test("where the release numbers its changes, its number and the session's time tell which session changed", async () => {
  const path = fixtureDatabase()
  using opened = readerOf(path)
  const { reader } = opened
  const first = await gather(reader.stamps())
  expect([...first.keys()].sort()).toEqual((await idsOf(reader)).sort())
  expect(await reader.version([A, "ses_none", B])).toBe(`${first.get(A)} - ${first.get(B)}`)
  for (const change of [
    // As when a part is removed, when a session is imported over, and when a release that keeps no number adds to it.
    `UPDATE event_sequence SET seq = seq + 1 WHERE aggregate_id = '${A}'`,
    `UPDATE session SET time_updated = time_updated + 1 WHERE id = '${A}'`,
    messageRow("msg_new", A, 1),
    partRow("prt_new", "msg_new", A),
  ]) {
    const before = await gather(reader.stamps())
    write(path, change)
    expect(changed(before, await gather(reader.stamps()))).toEqual([A])
  }
  write(path, `DELETE FROM session WHERE id = '${B}'`)
  expect(changed(first, await gather(reader.stamps()))).toEqual([A, B].sort())
})

const OLD = `${SCHEMA_1_2} ${["ses_1", "ses_2"].map((id) => sessionRow({ id })).join("\n")}
  ${[1, 2, 3].map((n) => messageRow(`msg_${n}`, "ses_1", n) + partRow(`prt_${n}`, `msg_${n}`, "ses_1")).join("\n")}`

test("where it does not, counts and times of messages and parts do; and of a session, which of its messages", async () => {
  const path = databaseOf(OLD)
  using opened = readerOf(path)
  const { reader } = opened
  const changes: [statement: string, messages: string[]][] = [
    ["UPDATE part SET data = '{}', time_updated = 7 WHERE id = 'prt_1'", ["msg_1"]],
    // Not the newest time of the session, and not even of its message.
    [`${partRow("prt_2b", "msg_2", "ses_1")}`, ["msg_2"]],
    ["UPDATE part SET time_updated = 3 WHERE id = 'prt_2'", ["msg_2"]],
    ["UPDATE message SET time_updated = 9 WHERE id = 'msg_3'", ["msg_3"]],
    ["DELETE FROM part WHERE id = 'prt_2b'", ["msg_2"]],
    ["DELETE FROM message WHERE id = 'msg_3'", ["msg_3"]],
    [messageRow("msg_4", "ses_1", 4), ["msg_4"]],
    ["UPDATE session SET time_updated = 5 WHERE id = 'ses_1'", []],
  ]
  for (const [statement, messages] of changes) {
    const before = await gather(reader.stamps())
    const inside = await gather(reader.messageStamps("ses_1"))
    write(path, statement)
    expect(changed(before, await gather(reader.stamps()))).toEqual(["ses_1"])
    expect(changed(inside, await gather(reader.messageStamps("ses_1")))).toEqual(messages)
  }
})

test("of opencode 2, whose rows change in place, number, order and times of its messages do", async () => {
  const path = laterDatabase()
  using opened = readerOf(path)
  const { reader } = opened
  const changes: [statement: string, messages: string[]][] = [
    ["UPDATE session_message SET time_updated = time_updated - 1 WHERE id = 'msg_b1'", ["msg_b1"]],
    ["UPDATE session_message SET time_updated = 1791500541999 WHERE id = 'msg_b4'", ["msg_b4"]],
    ["INSERT INTO session_message VALUES ('msg_b6', 'ses_both', 'user', 20, 1, 1, '{}')", ["msg_b6"]],
    ["DELETE FROM session_message WHERE id = 'msg_b3'", ["msg_b3"]],
    ["UPDATE session_v2 SET time_updated = 1 WHERE id = 'ses_both'", []],
  ]
  for (const [statement, messages] of changes) {
    const before = await gather(reader.stamps())
    const inside = await gather(reader.messageStamps("ses_both"))
    write(path, statement)
    expect(changed(before, await gather(reader.stamps()))).toEqual(["ses_both"])
    expect(changed(inside, await gather(reader.messageStamps("ses_both")))).toEqual(messages)
  }
  // Going over from one version's tables to the other's is a change, whatever their times say.
  const before = await gather(reader.stamps())
  write(path, "DELETE FROM session_v2 WHERE id = 'ses_both'")
  expect(changed(before, await gather(reader.stamps()))).toEqual(["ses_both"])
})

test("stamps come in runs, each session once, in the order of ids", async () => {
  const ids = Array.from({ length: 700 }, (_, at) => `ses_${at}`)
  const path = databaseOf(`${SCHEMA_1_2} ${ids.map((id) => sessionRow({ id })).join("\n")}`)
  using opened = readerOf(path)
  const seen: string[] = []
  let runs = 0
  for await (const run of opened.reader.stamps()) {
    runs++
    seen.push(...run.map(({ id }) => id))
  }
  expect(seen).toEqual(ids.toSorted())
  expect(runs).toBe(11)
})

test("of a session of thousands of parts the stamp is put together from stretches, and each row counts", async () => {
  const parts = Array.from(
    { length: 4_500 },
    (_, at) => `('prt_${at}', 'msg_1', 'ses_1', 1, ${at % 7}, '{}')`,
  )
  const path = databaseOf(
    `${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${messageRow("msg_1", "ses_1", 1)} INSERT INTO part VALUES ${parts.join(",")}`,
  )
  using opened = readerOf(path)
  const { reader } = opened
  for (const at of [0, 1_999, 2_000, 4_499]) {
    const before = await reader.version(["ses_1"])
    expect(await reader.version(["ses_1"])).toBe(before)
    write(path, `UPDATE part SET time_updated = time_updated - 1 WHERE id = 'prt_${at}'`)
    expect(await reader.version(["ses_1"])).not.toBe(before)
  }
})
