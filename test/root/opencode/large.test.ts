import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { readFileSync, writeFileSync } from "node:fs"
import { conversation, databaseOf, messageRow, partRow, readerOf, SCHEMA_1_2, sessionRow } from "./support.ts"

const EMPTY = `${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${messageRow("msg_1", "ses_1", 1)} ${partRow("prt_small", "msg_1", "ses_1")}`

/** A database with a part of that text. */
function withPart(data: string, cast = "?"): string {
  const path = databaseOf(EMPTY)
  const db = new Database(path)
  db.run("PRAGMA synchronous = OFF")
  db.query(`INSERT INTO part VALUES ('prt_large', 'msg_1', 'ses_1', 1, 1, ${cast})`).run(data)
  db.close()
  return path
}

async function gather(pieces: AsyncIterable<string> | undefined): Promise<string[]> {
  const all: string[] = []
  for await (const piece of pieces ?? []) all.push(piece)
  return all
}

test("a record over the bound stays in the database until its text is asked for; its neighbours are unaffected", async () => {
  const text = "é漢😀".repeat(200_000)
  using opened = readerOf(withPart(JSON.stringify({ type: "text", text })), { maxRecordBytes: 1000 })
  const { reader, problems } = opened
  const [message] = await conversation(reader, "ses_1")
  expect(message?.parts.map(({ id }) => id)).toEqual(["prt_small"])
  expect(problems).toMatchObject([
    { code: "TOO_LARGE", path: `${reader.database.path}#part/msg_1/prt_large` },
  ])
  await expect(reader.get("part", "msg_1", "prt_large")).rejects.toMatchObject({ code: "TOO_LARGE" })
  expect(await reader.ids("part", "msg_1")).toEqual(["prt_large", "prt_small"])
  expect(await reader.holds("part", "msg_1", "prt_large")).toBe(true)
  const bytes = Buffer.byteLength(JSON.stringify({ type: "text", text }))
  expect((await reader.partSizes("msg_1"))[0]).toEqual({ id: "prt_large", bytes })
  expect(await reader.bodies("part", "msg_1", ["prt_none", "prt_small"])).toMatchObject([
    undefined,
    { id: "prt_small" },
  ])
  const pieces = await gather(await reader.text("part", "msg_1", "prt_large"))
  // A megabyte a piece, each of them cut between letters.
  expect(pieces.length).toBeGreaterThan(1)
  expect(pieces.every((piece) => piece.isWellFormed() && piece.length <= (1 << 20) + 2048)).toBe(true)
  expect(JSON.parse(pieces.join(""))).toEqual({
    type: "text",
    text,
    id: "prt_large",
    sessionID: "ses_1",
    messageID: "msg_1",
  })
})

test("text that lies as bytes, ends in white space, holds other ids or nothing at all is streamed as it is", async () => {
  const ids = { id: "prt_large", sessionID: "ses_1", messageID: "msg_1" }
  for (const [data, cast, body] of [
    ['{"id":"stale","a":"é"}  \n', "cast(? as blob)", { a: "é", ...ids }],
    ["{ }", "?", ids],
    ['{"a":{}}', "?", { a: {}, ...ids }],
  ] as const) {
    using opened = readerOf(withPart(data, cast))
    const { reader } = opened
    expect(JSON.parse((await gather(await reader.text("part", "msg_1", "prt_large"))).join(""))).toEqual(body)
    expect(await reader.get("part", "msg_1", "prt_large")).toEqual(body)
  }
})

test("a record over the bound is not touched: damage in it is nobody else's", async () => {
  const path = withPart(JSON.stringify({ text: "x".repeat(200_000) }))
  const bytes = readFileSync(path)
  for (let page = 0; page < bytes.length; page += 4096)
    if (bytes.subarray(page + 100, page + 4096).every((byte) => byte === 0x78))
      bytes.fill(0xa5, page, page + 4096)
  writeFileSync(path, bytes)
  using opened = readerOf(path, { maxRecordBytes: 1000 })
  const [message] = await conversation(opened.reader, "ses_1")
  expect(message?.parts.map(({ id }) => id)).toEqual(["prt_small"])
  expect(opened.problems).toMatchObject([{ code: "TOO_LARGE" }])
  await expect(opened.reader.text("part", "msg_1", "prt_large")).rejects.toMatchObject({ code: "CORRUPT" })
})

test("a record that is changed while its text is streamed is told; one that is no object's is too", async () => {
  const data = JSON.stringify({ text: "x".repeat(3_000_000) })
  for (const change of ["time_updated = 2", "data = data || ' '", "id = 'prt_other'"]) {
    const path = withPart(data)
    using opened = readerOf(path)
    const pieces = await opened.reader.text("part", "msg_1", "prt_large")
    const iterator = pieces?.[Symbol.asyncIterator]()
    expect((await iterator?.next())?.done).toBe(false)
    const db = new Database(path)
    db.run(`UPDATE part SET ${change} WHERE id = 'prt_large'`)
    db.close()
    await expect(iterator?.next()).rejects.toMatchObject({ code: "UNREADABLE" })
  }
  using odd = readerOf(withPart("[1, 2]"))
  await expect(gather(await odd.reader.text("part", "msg_1", "prt_large"))).rejects.toMatchObject({
    code: "CORRUPT",
  })
})

test("a session whose row is over the bound is told, and the others are listed with their bodies", async () => {
  const path = databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${sessionRow({ id: "ses_2" })}
    UPDATE session SET summary_diffs = '[' || printf('%.*c', 5000, ' ') || ']', summary_files = 1 WHERE id = 'ses_1'`)
  using opened = readerOf(path, { maxRecordBytes: 1000 })
  const { reader, problems } = opened
  expect(await reader.bodies("session", "p", ["ses_1", "ses_2"])).toMatchObject([undefined, { id: "ses_2" }])
  expect(problems).toMatchObject([{ code: "TOO_LARGE", path: `${path}#session/ses_1` }])
  await expect(reader.get("session", "p", "ses_1")).rejects.toMatchObject({ code: "TOO_LARGE" })
})
