import { expect, test } from "bun:test"
import { fileSystem } from "../../src/file/system.ts"
import { TimeSlice } from "../../src/time-slice.ts"
import { type ExportedRecord, readExport } from "../../src/transfer/export-reader.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const MB = 1_000_000

function read(content: string | Uint8Array, maxBytes = 16 * MB): Promise<ExportedRecord[]> {
  const file = put(tempFolder(), "export.json", content)
  return all(readExport(fileSystem, file, maxBytes, new TimeSlice()))
}

const info = session("ses_1", { title: 'é 漢 🙂 "quoted" { [' })
const odd: unknown = JSON.parse('{"id":"prt_2","__proto__":{"x":1},"a":{"info":{},"parts":[1]},"n":-1.5e3}')
const whole = {
  info,
  messages: [
    { info: message("msg_1", "ses_1", 1), parts: [part("prt_1", "msg_1"), odd] },
    { info: message("msg_2", "ses_1", 2), parts: [] },
  ],
}
const bodies = [whole.info, whole.messages[0]?.info, part("prt_1", "msg_1"), odd, whole.messages[1]?.info]

test("the records of an export come in its order, whatever stands before the JSON and however it is laid out", async () => {
  const json = JSON.stringify(whole, null, 2)
  for (const text of [
    json,
    JSON.stringify(whole),
    `\u{feff}${json}\n`,
    `Exporting session: ses_1 {not this}\n${json}\n`,
    `\u{1b}[0mExporting\u{1b}[0m\r\n\r\n  ${json}\r\n\r\n`,
    `Exporting session: ses_1${json}\n`,
    `Exporting session: latest${JSON.stringify(whole)}`,
    `\u{1b}[90mExporting {x}\u{1b}[0m${json}`,
    `${"a line of a log { }\n".repeat(3000)}${json}`,
    json.replace("{", '{ "version": [1, {"info": []}], '),
  ]) {
    const records = await read(text)
    expect(records.map(({ kind }) => kind)).toEqual(["session", "message", "part", "part", "message"])
    // As text: a key named __proto__ must come through too.
    expect(records.map(({ body }) => JSON.stringify(body))).toEqual(
      bodies.map((body) => JSON.stringify(body)),
    )
  }
})

test("records that lie across the pieces of a large file come whole", async () => {
  const parts = Array.from({ length: 300 }, (_, i) => part(`prt_${i}`, "msg_1", `é漢🙂\\"\n`.repeat(i * 3)))
  const large = { info, messages: [{ info: message("msg_1", "ses_1", 1), parts }] }
  const records = await read(JSON.stringify(large, null, 2))
  expect(records.slice(2).map(({ body }) => body)).toEqual(parts as never)
  expect(records.every(({ size }) => size > 10)).toBe(true)
})

test("a record over the bound is refused before it is held, and so is a giant nobody asked for", async () => {
  const giant = {
    info,
    messages: [{ info: message("msg_1", "ses_1", 1), parts: [part("prt_1", "msg_1", "x".repeat(MB))] }],
  }
  expect(await failure(read(JSON.stringify(giant), 500_000))).toMatchObject({ code: "TOO_LARGE" })
  expect(await failure(read(JSON.stringify({ junk: "x".repeat(MB), ...giant }), 500_000))).toMatchObject({
    code: "TOO_LARGE",
  })
  expect(await read(JSON.stringify(giant), 2 * MB)).toHaveLength(3)
})

test("bytes that are no UTF-8 are not taken for text", async () => {
  const bytes = Buffer.from(JSON.stringify(whole).replace("é", "\u{1}"), "latin1")
  bytes[bytes.indexOf(1)] = 0xff
  expect(await failure(read(bytes))).toMatchObject({ code: "CORRUPT" })
})
