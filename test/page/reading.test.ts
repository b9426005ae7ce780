import { expect, test } from "bun:test"
import { safeAddress, safePicture } from "../../page/address.ts"
import { links, splitLines } from "../../page/api.ts"
import { compare, readPatch } from "../../page/diff.ts"
import { duration, firstLine, money, plain, short, span } from "../../page/format.ts"
import { formatRoute, parseRoute } from "../../page/route.ts"
import { pieces, readHit } from "../../page/search.ts"
import { mergeNewest, type TranscriptMessage, transcriptRows } from "../../page/transcript.ts"

test("an address holds what the page shows, whatever stands in ids and queries", () => {
  for (const route of [
    {},
    { project: "p/1?" },
    { overview: true as const },
    { sources: true as const, source: "claude-code", project: "p" },
    { session: "ses_1" },
    { session: "../a b", message: "m/?#", part: "p%", query: 'a "b?c" & d', project: "x" },
  ])
    expect(parseRoute(formatRoute(route))).toEqual(route)
  for (const hash of ["", "#", "#/session", "#/nothing/x", "#/session//message"])
    expect(parseRoute(hash)).toEqual({})
  expect(parseRoute("#/session/%E0%A4%A")).toEqual({ session: "%E0%A4%A" })
})

test("links lead to web pages and mail only, pictures come from the record only", () => {
  for (const good of ["https://a.b/c", "http://a.b", "mailto:a@b.c"]) expect(safeAddress(good)).toBeDefined()
  for (const bad of [
    "javascript:alert(1)",
    " JaVaScRiPt:x",
    "data:text/html,x",
    "file:///etc",
    "/a",
    "a",
    "vbscript:x",
  ])
    expect(safeAddress(bad)).toBeUndefined()
  expect(safePicture("data:image/png;base64,AAAA")).toBeDefined()
  for (const bad of [
    "data:image/svg+xml;base64,AAAA",
    "https://a.b/c.png",
    "data:image/png,<x>",
    5,
    undefined,
  ])
    expect(safePicture(bad)).toBeUndefined()
})

test("targets of a Link header by their relation", () => {
  const header = '<?limit=2&cursor=a,b>; rel="next", </x>; title="a, b"; rel=prev, <y>'
  expect(links(header, "http://h/session?limit=2")).toEqual({
    next: "http://h/session?limit=2&cursor=a,b",
    prev: "http://h/x",
  })
  expect(links("", "http://h/")).toEqual({})
})

test("lines of a stream, however its bytes are cut", async () => {
  const bytes = new TextEncoder().encode("one\n漢字\r\n\nlast")
  for (const size of [1, 2, 5, 100]) {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
        controller.close()
      },
    })
    expect(await Array.fromAsync(splitLines(stream))).toEqual(["one", "漢字", "", "last"])
  }
})

test("a snippet is cut at its ranges; ranges that make no sense are left out", () => {
  const text = (ranges: [number, number][]): string[] =>
    pieces("abcdef", ranges).map(({ text, marked }) => (marked ? `[${text}]` : text))
  expect(
    text([
      [0, 1],
      [3, 5],
    ]),
  ).toEqual(["[a]", "bc", "[de]", "f"])
  expect(text([])).toEqual(["abcdef"])
  expect(
    text([
      [2, 1],
      [-1, 2],
      [4, 99],
      [0, 6],
    ]),
  ).toEqual(["[abcdef]"])
  expect(readHit({ end: {} })).toBeUndefined()
  expect(readHit({ sessionID: "s", ranges: [[0, 1], ["x"], null] })?.ranges).toEqual([[0, 1]])
})

test("differences, as told and as found", () => {
  const told = readPatch("--- a\n+++ b\n@@ -3,2 +3,2 @@\n same\n-old\n+new\n")
  expect(told?.lines.map(({ kind, before, after, text }) => [kind, before, after, text])).toEqual([
    ["hunk", undefined, undefined, "Line 3"],
    ["same", 3, 3, "same"],
    ["removed", 4, undefined, "old"],
    ["added", undefined, 4, "new"],
  ])
  expect(readPatch("no patch")).toBeUndefined()
  expect(readPatch("@@ nonsense @@\n<script>")).toBeUndefined()
  const found = compare("a\nb\nc\n", "a\nB\nc\nd\n")
  expect([found?.added, found?.removed]).toEqual([2, 1])
  expect(compare("x".repeat(2_000_000), "y")).toBeUndefined()
})

function message(id: string, text = id): TranscriptMessage {
  return { id, info: { id, role: "assistant", modelID: "m" }, parts: [{ id: "p", type: "text", text }] }
}

test("the newest page takes the place of what it covers", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => message(id))
  if (!a || !b || !c || !d) throw new Error("There are four")
  const merged = (loaded: TranscriptMessage[], newest: TranscriptMessage[]): unknown => {
    const { messages, disjoint } = mergeNewest(loaded, newest)
    return [messages.map(({ id, parts }) => (parts[0]?.text === id ? id : `${id}!`)).join(""), disjoint]
  }
  expect(merged([a, b, c], [b, message("c", "changed"), d])).toEqual(["abc!d", false])
  expect(merged([a, b, c], [b])).toEqual(["ab", false])
  expect(merged([a, b], [c, d])).toEqual(["cd", true])
  expect(merged([], [a])).toEqual(["a", false])
})

test("rows of a transcript: heads and what says something", () => {
  const silent = { id: "s", type: "step-start" }
  const blank = { id: "b", type: "text", text: " \n" }
  const odd = { type: 7 }
  const first = { ...message("a"), parts: [silent, blank, { id: "p", type: "text", text: "x" }, odd] }
  const rows = transcriptRows([first, message("b"), { id: "c", info: { id: "c", role: "user" }, parts: [] }])
  expect(
    rows.map((row) => (row.kind === "head" ? `${row.key}${row.follows ? " follows" : ""}` : row.key)),
  ).toEqual(["a", "a/p", "a/3", "b follows", "b/p", "c"])
})

test("figures as people read them", () => {
  expect([0, 999, 1000, 12_345, 999_900, 2_500_000].map(short)).toEqual([
    "0",
    "999",
    "1.0 k",
    "12 k",
    "1.0 M",
    "2.5 M",
  ])
  expect([12, 1500, 61_000, 7_320_000].map(span)).toEqual(["12 ms", "1.5 s", "1 min 1 s", "2 h 2 min"])
  expect([0, 0.0123, 12.345].map(money)).toEqual(["$0", "$0.0123", "$12.35"])
  for (const odd of [undefined, "x", { start: 5 }, { start: 0, end: 0 }, { start: 9, end: 3 }])
    expect(duration(odd)).toBe("")
  expect(plain("\u001b[31mred\u001b[0m\u0007 50%\r100%\r\ndone\u0000")).toBe("100%\ndone")
})

test("the first line of a text is without the signs of Markdown, and words stay whole", () => {
  for (const [text, line] of [
    ["**Look** at `read_file` and snake_case_name", "Look at read_file and snake_case_name"],
    ["# Plan\n\n> quoted\n_one_ __two__ ***three***", "Plan quoted one two three"],
    [
      "`__init__` and _private, 2 * 3 * 4, 2 * x* y, *.ts or *.js, a > b, C# #5",
      "__init__ and _private, 2 * 3 * 4, 2 * x* y, *.ts or *.js, a > b, C# #5",
    ],
    ["été_à_la_mer ``a`b``\n```ts\nlet a_b\n```", "été_à_la_mer a`b let a_b"],
    ["x".repeat(500), "x".repeat(160)],
  ])
    expect(firstLine(text ?? "")).toBe(line ?? "")
})
