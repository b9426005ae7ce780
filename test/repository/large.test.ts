import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { AbridgingFilter } from "../../src/file/abridging-filter.ts"
import { readFields } from "../../src/file/fields-reader.ts"
import { fileSystem } from "../../src/file/system.ts"
import { openStore } from "../../src/index.ts"
import { TimeSlice } from "../../src/time-slice.ts"
import { Random } from "../support/random.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "../..")
const MB = 1_000_000

/** Writes a file piece by piece, so that the test itself stays small. */
function putPieces(path: string, pieces: Iterable<string>): void {
  fs.mkdirSync(dirname(path), { recursive: true })
  const file = fs.openSync(path, "w")
  for (const piece of pieces) fs.writeSync(file, piece)
  fs.closeSync(file)
}

function* diffs(bytes: number): Generator<string> {
  yield '{"role":"user","summary":{"diffs":['
  const diff = JSON.stringify({ file: "a.ts", before: 'x\n"é" '.repeat(20_000), after: "z".repeat(100_000) })
  for (let length = 0; length < bytes; length += diff.length) yield `${length > 0 ? "," : ""}${diff}`
  yield ']},"time":{"created":77}}'
}

function* output(bytes: number): Generator<string> {
  yield '{"type":"tool","tool":"bash","state":{"status":"completed","output":"'
  const line = "a line of output \\u00e9 \\n".repeat(1000)
  for (let length = 0; length < bytes; length += line.length) yield line
  yield '"}}'
}

/** A small store, with a giant message and a giant tool output on request. */
function store(giant: boolean): string {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  for (let m = 0; m < 20; m++) {
    put(directory, `message/ses_1/msg_${m}.json`, message(`msg_${m}`, "ses_1", m))
    put(directory, `part/msg_${m}/prt_1.json`, part("prt_1", `msg_${m}`))
  }
  if (!giant) return directory
  putPieces(join(directory, "message/ses_1/msg_giant.json"), diffs(300 * MB))
  putPieces(join(directory, "part/msg_1/prt_giant.json"), output(50 * MB))
  return directory
}

/** Indexes and lists a store in a process of its own; gives that process's peak memory in bytes, and what it saw. */
async function peak(
  directory: string,
  maxRecordBytes: number | undefined,
): Promise<{ bytes: number; seen: string }> {
  const script = `import { openStore } from "./src/index.ts"
    await using store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false, maxRecordBytes: ${maxRecordBytes} })
    const { messages, parts, unreadable } = await store.index()
    let listed = 0
    for await (const id of store.messages.ids("ses_1")) listed++
    for await (const session of store.sessions.list()) listed++
    if (${maxRecordBytes === undefined}) for await (const { info, parts } of store.messages.stream("ses_1")) listed += 1 + parts.length
    const { readFileSync } = await import("node:fs")
    // Not ru_maxrss: that begins with what the parent had when it forked.
    const status = process.platform === "linux" ? /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8")) : null
    console.log(JSON.stringify({ bytes: (status ? Number(status[1]) : process.resourceUsage().maxRSS) * 1024, seen: [messages, parts, unreadable.length, listed].join() }))`
  const child = Bun.spawn(["bun", "-e", script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" })
  return JSON.parse(await new Response(child.stdout).text())
}

test("a 300 MB message and a 50 MB tool output cost less than 64 MB of memory to index and list", async () => {
  const without = await peak(store(false), undefined)
  const directory = store(true)
  const refused = await peak(directory, undefined)
  const streamed = await peak(directory, 500 * MB)
  expect(without.seen).toBe("20,20,0,61")
  expect(refused.seen).toBe("21,21,2,61")
  expect(streamed.seen).toBe("21,21,0,22")
  console.log(
    `peak: ${[without, refused, streamed].map(({ bytes }) => `${Math.round(bytes / MB)} MB`).join(" without, ")} streamed`,
  )
  expect(refused.bytes - without.bytes).toBeLessThan(64 * MB)
  expect(streamed.bytes - without.bytes).toBeLessThan(64 * MB)
}, 120_000)

test("too large a record is refused by get, and read as a stream of text", async () => {
  const directory = tempFolder()
  const path = join(directory, "part/msg_1/prt_big.json")
  putPieces(path, output(3 * MB))
  await using small = await openStore({ directory, backgroundIndex: false, maxRecordBytes: MB })
  expect(await failure(small.parts.get("prt_big"))).toMatchObject({ code: "TOO_LARGE", path })
  expect((await all(small.readText(["part", "msg_1", "prt_big"]))).join("")).toBe(
    fs.readFileSync(path, "utf8"),
  )
  expect(await failure(all(small.readText(["part", "msg_1", "nope"])))).toMatchObject({ code: "NOT_FOUND" })
})

test("fields are read from large records as from small ones; torn and foreign ones are told apart", async () => {
  const directory = tempFolder()
  const filler = `"filler":${JSON.stringify("x".repeat(2 * MB))}`
  const contents: [string, object | string][] = [
    [
      `{"role":"user",${filler},"time":{"created":5,"deep":{"time":9}},"title":"é 漢"}`,
      { role: "user", time: { created: 5, deep: { time: 9 } }, title: "é 漢" },
    ],
    [`\u{feff} {${filler}}`, {}],
    [`{"role":"user",${filler}`, "CORRUPT"],
    [`{"role":"user",${filler}} trailing`, "CORRUPT"],
    [`[{${filler}}]`, "CORRUPT"],
    ["\0".repeat(2 * MB), "CORRUPT"],
  ]
  for (const [text, expected] of contents) {
    const path = put(directory, "record.json", text)
    const stat = fileSystem.lstat(path)
    if (!stat) throw new Error("It was just written")
    const result = await readFields(fileSystem, path, stat, 100 * MB, new TimeSlice())
    const seen: object | string = "body" in result ? result.body : result.fault.code
    expect(seen).toEqual(expected)
  }
})

test("a large record that is nested as deep as it is long is read in the time of any other", async () => {
  const directory = tempFolder()
  const depth = MB
  putPieces(join(directory, "session/p/ses_deep.json"), [
    '{"deep":',
    "[".repeat(depth),
    '"[{",{"a":"]}"}',
    "]".repeat(depth),
    ',"time":{"created":5,"updated":6},"title":"Deep"}',
  ])
  put(directory, "session/p/ses_1.json", session("ses_1", { projectID: "p" }))
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await all(store.sessions.ids({ order: "created" }))).toEqual(["ses_1", "ses_deep"])
  expect(await all(store.sessions.ids({ search: "deep" }))).toEqual(["ses_deep"])
  expect((await store.sessions.get("ses_deep"))?.title).toBe("Deep")
})

test("the abridging filter passes valid JSON on as valid JSON, wherever the pieces are cut", () => {
  const random = new Random(7)
  const letters = ["a", "é", "漢", "🙂", '"', "\\", "\n", "\u{1}", " "]
  for (let round = 0; round < 30; round++) {
    const long = Array.from({ length: 66_000 + random.below(3000) }, () => random.pick(letters)).join("")
    const value = { short: 'a"\\', long, after: [1, "end"], "key\\": true }
    const nested = (times: number, inside: string): string =>
      '[{"x":'.repeat(times) + inside + "}]".repeat(times)
    const bytes = Buffer.from(
      `${JSON.stringify({ ...value, deep: 0 }).slice(0, -2)}${nested(40, JSON.stringify(["]", long]))}}`,
    )
    const filter = new AbridgingFilter()
    const passed: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random.below(random.chance(0.5) ? 50 : 60_000)
      for (const piece of filter.pass(bytes.subarray(at, at + size))) passed.push(piece.slice())
      at += size
    }
    const text = Buffer.concat(passed).toString()
    const { deep, ...shortened } = JSON.parse(text) as typeof value & { deep: unknown }
    expect(JSON.stringify(deep)).toBe(nested(31, "[{}]"))
    expect(long.startsWith(shortened.long)).toBe(true)
    expect(shortened.long.length).toBeLessThan(long.length)
    expect({ ...shortened, long: "" }).toEqual({ ...value, long: "" })
  }
})
