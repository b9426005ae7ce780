import { expect, test } from "bun:test"
import type { FileSystem } from "../../src/file/system.ts"
import { fileSystem } from "../../src/file/system.ts"
import { TimeSlice } from "../../src/time-slice.ts"
import { type ExportedRecord, readExport } from "../../src/transfer/export-reader.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const MB = 1_000_000

function read(content: string | Uint8Array, maxBytes = 16 * MB, fs = fileSystem): Promise<ExportedRecord[]> {
  const file = put(tempFolder(), "export.json", content)
  return all(readExport(fs, file, maxBytes, new TimeSlice()))
}

/** As a pipe may give them: so many bytes at a time. */
function inPieces(length: number): FileSystem {
  return {
    ...fileSystem,
    *readPieces(path) {
      for (const piece of fileSystem.readPieces(path))
        for (let at = 0; at < piece.length; at += length) yield piece.subarray(at, at + length)
    },
  }
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

const ENCODINGS: Record<string, (text: string) => Uint8Array> = {
  "UTF-8": (text) => Buffer.from(text),
  "UTF-8 with a mark": (text) => Buffer.from(`\u{feff}${text}`),
  "UTF-16LE with a mark": (text) => Buffer.from(`\u{feff}${text}`, "utf16le"),
  "UTF-16BE with a mark": (text) => Buffer.from(`\u{feff}${text}`, "utf16le").swap16(),
  "UTF-16LE without": (text) => Buffer.from(text, "utf16le"),
  "UTF-16BE without": (text) => Buffer.from(text, "utf16le").swap16(),
}

test.each(Object.entries(ENCODINGS))(
  "an export in %s is read, however its bytes are cut",
  async (_, encode) => {
    const json = JSON.stringify(whole, null, 2).replaceAll("\n", "\r\n")
    for (const text of [json, `Exporting session: ses_1\r\n${json}\r\n`])
      for (const fs of [fileSystem, inPieces(1), inPieces(3), inPieces(7)])
        expect((await read(encode(text), MB, fs)).map(({ body }) => JSON.stringify(body))).toEqual(
          bodies.map((body) => JSON.stringify(body)),
        )
    const parts = Array.from({ length: 100 }, (_, i) => part(`prt_${i}`, "msg_1", `é漢🙂\\"\n`.repeat(i * 9)))
    const large = { info, messages: [{ info: message("msg_1", "ses_1", 1), parts }] }
    expect((await read(encode(JSON.stringify(large)))).slice(2).map(({ body }) => body)).toEqual(
      parts as never,
    )
  },
)

test("what is in no such encoding, or cut within a letter, is told of with what to do", async () => {
  const json = JSON.stringify(whole)
  const utf32 = Buffer.from(
    Uint32Array.from([0xfeff, ...[...json].map((letter) => letter.codePointAt(0) ?? 0)]).buffer,
  )
  expect(await failure(read(utf32))).toMatchObject({
    code: "CORRUPT",
    message: expect.stringContaining("UTF-32"),
    hint: "Save it as UTF-8.",
  })
  const utf16 = Buffer.from(`\u{feff}${json}`, "utf16le")
  expect(await failure(read(utf16.subarray(0, -1)))).toMatchObject({ code: "CORRUPT" })
  expect(await failure(read(utf16.subarray(0, 101)))).toMatchObject({ code: "CORRUPT" })
  const lone = Buffer.from(`\u{feff}${json.replace("quoted", "\ud800")}`, "utf16le")
  expect(await failure(read(lone))).toMatchObject({
    code: "CORRUPT",
  })
  for (const none of [
    "",
    "x",
    "xyz",
    "no JSON at all",
    "\u{feff}",
    Buffer.from([0xff, 0xfe]),
    Buffer.from([0]),
  ])
    expect(await failure(read(none))).toMatchObject({ code: "CORRUPT", hint: expect.stringMatching(/UTF-8/) })
})
