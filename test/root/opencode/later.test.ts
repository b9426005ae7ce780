import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { ALL, conversation, databaseOf, idsOf, laterDatabase, messageIds, readerOf } from "./support.ts"

test("sessions of both versions are one list by id; where both have one, opencode 2's counts", async () => {
  using opened = readerOf(laterDatabase())
  const { reader, problems } = opened
  expect(await idsOf(reader)).toEqual(["ses_v1late", "ses_new", "ses_child", "ses_both"])
  expect(await idsOf(reader, { ...ALL, order: "created", direction: "asc" })).toEqual([
    "ses_both",
    "ses_new",
    "ses_child",
    "ses_v1late",
  ])
  expect(await reader.countSessions(ALL)).toBe(4)
  expect(await idsOf(reader, { ...ALL, parentID: "ses_new" })).toEqual(["ses_child"])
  expect(await reader.get("session", "p1", "ses_both")).toEqual({
    id: "ses_both",
    slug: "a",
    projectID: "p1",
    directory: "/home/dev/app",
    title: "In both",
    version: "1.18.30",
    cost: 0,
    tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
    metadata: { idleOutcome: "succeeded" },
    time: { created: 1791500531462, updated: 1791500541274, idle: 1791500541275 },
  })
  const untitled = await reader.get("session", "p1", "ses_new")
  expect(untitled && "title" in untitled).toBe(false)
  expect(await reader.copies(["ses_both", "ses_v1late"])).toEqual(
    new Map([
      ["ses_both", { project: "p1", updated: 1791500541274 }],
      ["ses_v1late", { project: "p1", updated: 1791500600100 }],
    ]),
  )
  expect(problems).toEqual([])
})

test("messages become records of ours: roles from their type, content as parts of stable ids, switches left out", async () => {
  using opened = readerOf(laterDatabase())
  const { reader } = opened
  expect(await messageIds(reader, "ses_both")).toEqual(["msg_b1", "msg_b3", "msg_b4"])
  expect(await messageIds(reader, "ses_both", "desc")).toEqual(["msg_b4", "msg_b3", "msg_b1"])
  const [failed, delegated] = (await reader.partsOf(["msg_n2"])).get("msg_n2") ?? []
  expect(failed).toEqual({
    type: "tool",
    callID: "call_1",
    tool: "read",
    state: {
      status: "error",
      input: { path: "/nonexistent" },
      error: "File not found",
      metadata: { error: { type: "tool.execution", message: "File not found" } },
      time: { start: 2, end: 3 },
    },
    metadata: { executed: false },
    id: "prt_msg_n2_00000",
    sessionID: "ses_new",
    messageID: "msg_n2",
  })
  expect(delegated).toMatchObject({ tool: "subagent", state: { metadata: { sessionID: "ses_child" } } })
  const [, , answer] = await conversation(reader, "ses_both")
  expect(answer).toEqual({
    info: {
      role: "assistant",
      time: { created: 1791500541260, streamed: 1791500541273, completed: 1791500541274 },
      agent: "build",
      mode: "build",
      modelID: "m1",
      providerID: "fake",
      cost: 0.1,
      tokens: { input: 1, output: 2, reasoning: 0, cache: { read: 0, write: 0 } },
      finish: "stop",
      id: "msg_b4",
      sessionID: "ses_both",
    },
    parts: [
      {
        type: "reasoning",
        text: "hm",
        time: { start: 1, end: 2 },
        id: "prt_msg_b4_00000",
        sessionID: "ses_both",
        messageID: "msg_b4",
      },
      {
        type: "text",
        text: "done zebra",
        id: "prt_msg_b4_00001",
        sessionID: "ses_both",
        messageID: "msg_b4",
      },
    ],
  })
  const synthetic = (await conversation(reader, "ses_new"))[2]
  expect(synthetic?.info).toMatchObject({ role: "user", metadata: { type: "synthetic" } })
  expect(synthetic?.parts).toEqual([expect.objectContaining({ type: "text", synthetic: true })])
})

test("a made part id leads back to its message; ids that 1.x gave to what opencode 2 has lead nowhere", async () => {
  using opened = readerOf(laterDatabase())
  const { reader } = opened
  expect(await reader.ids("part", "msg_b4")).toEqual(["prt_msg_b4_00000", "prt_msg_b4_00001"])
  expect(await reader.places("part", "prt_msg_b4_00001")).toEqual(["msg_b4"])
  expect(await reader.get("part", "msg_b4", "prt_msg_b4_00001")).toMatchObject({ text: "done zebra" })
  for (const none of ["prt_msg_b4_00002", "prt_b1", "prt_msg_b2_00000"])
    expect(await reader.places("part", none)).toEqual([])
  expect(await reader.places("message", "msg_b2")).toEqual([])
  expect(await reader.places("part", "prt_l1")).toEqual(["msg_l1"])
})

const LATER_ONLY = `
  CREATE TABLE session_v2 (time_created integer NOT NULL, title text, id text PRIMARY KEY, time_updated integer NOT NULL, later_column text);
  CREATE TABLE session_message (id text PRIMARY KEY, session_id text NOT NULL, type text NOT NULL, seq integer NOT NULL,
    time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);
  CREATE UNIQUE INDEX session_message_session_seq_idx ON session_message (session_id, seq);
  INSERT INTO session_v2 VALUES (1, 'x', 'ses_1', 2, 'later');`

function later(
  rows: readonly (readonly [id: string, seq: number, time: number, type: string, data: unknown])[],
): string {
  const path = databaseOf(LATER_ONLY)
  const db = new Database(path)
  db.run("PRAGMA synchronous = OFF")
  for (const [id, seq, time, type, data] of rows)
    db.run("INSERT INTO session_message VALUES (?, 'ses_1', ?, ?, ?, ?, ?)", [
      id,
      type,
      seq,
      time,
      time,
      JSON.stringify(data),
    ])
  db.close()
  return path
}

test("messages are ordered by seq, also where a prompt waited and where times are equal; any position is gone on from", async () => {
  // The prompt "c" was made before the answer "b" was, and said after it; "z" and "y" are of one moment.
  const path = later([
    ["a", 1, 10, "user", { text: "1" }],
    ["b", 4, 30, "assistant", {}],
    ["c", 9, 20, "user", { text: "2" }],
    ["m", 10, 40, "model-switched", {}],
    ["z", 11, 50, "assistant", {}],
    ["y", 12, 50, "system", { text: "tools" }],
  ])
  using opened = readerOf(path)
  const { reader } = opened
  const order = ["a", "b", "c", "z", "y"]
  expect(await messageIds(reader, "ses_1")).toEqual(order)
  expect(await messageIds(reader, "ses_1", "desc")).toEqual(order.toReversed())
  const positions = []
  for await (const run of reader.messages("ses_1", "asc")) positions.push(...run)
  for (const direction of ["asc", "desc"] as const)
    for (const [at, after] of positions.entries()) {
      const rest = []
      for await (const run of reader.messages("ses_1", direction, { after }))
        rest.push(...run.map(({ id }) => id))
      expect(rest).toEqual(direction === "asc" ? order.slice(at + 1) : order.slice(0, at).reverse())
    }
  // Of a row that has gone the time is left: behind all that is not newer, in front of all that is not older.
  const gone = { time: 45, id: "gone" }
  const rest = []
  for await (const run of reader.messages("ses_1", "asc", { after: gone }))
    rest.push(...run.map(({ id }) => id))
  expect(rest).toEqual(["z", "y"])
  for await (const run of reader.messages("ses_1", "desc", { after: gone }))
    expect(run.map(({ id }) => id)).toEqual(["c", "b", "a"])
})

test("compactions, shell commands, files and what no release has yet keep all they say", async () => {
  const path = later([
    ["a", 1, 1, "compaction", { reason: "auto", summary: "all of it", recent: "r", time: { created: 1 } }],
    [
      "b",
      2,
      2,
      "shell",
      { shellID: "sh_1", command: "ls", output: "x\n", exit: 0, time: { created: 1, completed: 3 } },
    ],
    [
      "c",
      3,
      3,
      "user",
      { text: "look", files: [{ uri: "file:///a.png", mime: "image/png", name: "a.png", size: 3 }] },
    ],
    ["d", 4, 4, "oracle", { text: "said", vision: { deep: true } }],
    [
      "e",
      5,
      5,
      "assistant",
      { content: [{ type: "hologram", data: 1 }, "odd"], error: { type: "provider", message: "no" } },
    ],
  ])
  using opened = readerOf(path)
  const messages = await conversation(opened.reader, "ses_1")
  expect(messages.map(({ info }) => info.role)).toEqual(["assistant", "user", "user", "oracle", "assistant"])
  expect(messages[0]).toMatchObject({
    info: { summary: true, metadata: { type: "compaction", recent: "r" } },
    parts: [
      { type: "compaction", auto: true },
      { type: "text", text: "all of it" },
    ],
  })
  expect(messages[1]).toMatchObject({
    info: { metadata: { exit: 0 } },
    parts: [
      {
        type: "tool",
        tool: "shell",
        callID: "sh_1",
        state: { status: "completed", input: { command: "ls" }, output: "x\n" },
      },
    ],
  })
  expect(messages[2]?.parts).toMatchObject([
    { type: "text", text: "look" },
    { type: "file", url: "file:///a.png", mime: "image/png", filename: "a.png", metadata: { size: 3 } },
  ])
  expect(messages[3]).toMatchObject({
    info: { metadata: { vision: { deep: true } } },
    parts: [{ text: "said" }],
  })
  expect(messages[4]).toMatchObject({
    info: { error: { name: "provider", data: { message: "no" } } },
    parts: [
      { type: "hologram", data: 1 },
      { type: "unknown", value: "odd" },
    ],
  })
  expect(messages[4]?.parts.map(({ id }) => id)).toEqual(["prt_e_00000", "prt_e_00001"])
})

test("the empty session_message of releases of 1.x says nothing of opencode 2", async () => {
  const path = laterDatabase()
  const db = new Database(path)
  db.run("DROP TABLE session_v2")
  db.run("DELETE FROM session_message")
  db.close()
  using opened = readerOf(path)
  expect(await idsOf(opened.reader)).toEqual(["ses_v1late", "ses_both"])
  expect(await messageIds(opened.reader, "ses_both")).toEqual(["msg_b1"])
})
