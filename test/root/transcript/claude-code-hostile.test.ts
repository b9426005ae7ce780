import { expect, test } from "bun:test"
import fc from "fast-check"
import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import type { Line, OutlinedSession } from "../../../src/root/transcript/agent.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import {
  assistant,
  call,
  fixtures,
  line,
  linesOf,
  MAIN,
  result,
  sessionsOf,
  text,
  user,
} from "./claude-code-transcripts.ts"
import { foldOf, NO_SIDES, plainSessions } from "./plain-parse.ts"

/** Lines of every kind, which belong together. */
const SAMPLE: readonly JsonObject[] = [
  user("u1", null, "one"),
  assistant("a1", "u1", "m1", call("t1", { prompt: "look", description: "to look" }, "Task")),
  assistant("a2", "a1", "m1", call("t2")),
  user("s1", null, "look", { isSidechain: true }),
  assistant("s2", "s1", "m2", call("t3"), { isSidechain: true }),
  result("r2", "a2", "t2"),
  line("p1", "r2", { type: "progress", data: { type: "hook_progress" } }),
  result("r1", "a1", "t1"),
  assistant("a3", "p1", "m3", text("done")),
  line("c1", null, {
    type: "system",
    subtype: "compact_boundary",
    logicalParentUuid: "a3",
    compactMetadata: { trigger: "auto", preservedSegment: { anchorUuid: "s", tailUuid: "a3" } },
  }),
  user("s", "c1", "summed up", { isCompactSummary: true }),
  user("u2", "a3", "two"),
  line("at1", "u2", { type: "attachment", attachment: { type: "queued_command", prompt: "meanwhile" } }),
  user("u3", "a3", "two again"),
  { type: "last-prompt", explicit: true, leafUuid: "u2" },
  { type: "summary", summary: "all of it", leafUuid: "u3" },
  ...fixtures()
    .slice(0, 2)
    .flatMap(({ lines }) =>
      lines.slice(0, 12).flatMap(({ value }) => (value === null ? [] : [fieldsOf(value)])),
    ),
]

const HOSTILE: readonly unknown[] = [
  null,
  "",
  "u1",
  "a3",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "x".repeat(400),
  "\ud800",
  "\u0000",
  1e308,
  -1,
  [],
  {},
  [null, 1, "a text", ["u1"], { type: "tool_use" }, { type: "tool_result" }, { type: "text", text: 1 }],
  [
    { type: "tool_use", id: "t1" },
    { type: "tool_result", tool_use_id: "t2", content: [{ type: "image" }] },
  ],
  JSON.parse('{"__proto__": {"polluted": true}, "type": "x"}'),
]
const FIELDS = [
  ...[
    "uuid",
    "parentUuid",
    "type",
    "message",
    "timestamp",
    "isSidechain",
    "agentId",
    "requestId",
    "subtype",
    "attachment",
  ],
  ...[
    "compactMetadata",
    "logicalParentUuid",
    "sessionId",
    "cwd",
    "toolUseResult",
    "isMeta",
    "isCompactSummary",
    "leafUuid",
  ],
]

/** What every outline keeps to, whatever the lines say. */
function expectSound(sessions: readonly OutlinedSession[]): void {
  const ids = sessions.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [at, { id, parentID, messages }] of sessions.entries()) {
    // A parent comes first, so there are no circles.
    if (at > 0) expect(ids.indexOf(parentID ?? "")).toBeLessThan(ids.indexOf(id))
    const names = messages.map((message) => message.id)
    expect(new Set(names).size).toBe(names.length)
    for (const { spans, created } of messages) {
      expect(spans.length).toBeGreaterThan(0)
      expect(new Set(spans.map(String)).size).toBe(spans.length)
      expect(created).toBeGreaterThanOrEqual(0)
    }
  }
}

test("random lines never throw, ids are unique, and a fold that is kept says the same", () => {
  const place = fc.nat({ max: SAMPLE.length - 1 })
  const change = fc.oneof(
    fc.record({
      kind: fc.constant("put" as const),
      at: place,
      field: fc.constantFrom(...FIELDS),
      value: fc.constantFrom(...HOSTILE),
    }),
    fc.record({
      kind: fc.constant("inner" as const),
      at: place,
      field: fc.constantFrom("id", "content", "usage", "model"),
      value: fc.constantFrom(...HOSTILE),
    }),
    fc.record({
      kind: fc.constantFrom("swap" as const, "repeat" as const, "take" as const),
      at: place,
      to: place,
    }),
    fc.record({
      kind: fc.constant("add" as const),
      at: place,
      value: fc.oneof(fc.constantFrom(...HOSTILE), fc.jsonValue()),
    }),
  )
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const values: unknown[] = [...SAMPLE]
      for (const made of changes) {
        const there = values[made.at]
        if (made.kind === "put") values[made.at] = { ...fieldsOf(there), [made.field]: made.value }
        else if (made.kind === "inner")
          values[made.at] = {
            ...fieldsOf(there),
            message: { ...fieldsOf(fieldsOf(there).message), [made.field]: made.value },
          }
        else if (made.kind === "add") values.splice(made.at, 0, made.value)
        else if (made.kind === "take") values.splice(made.at, 1)
        else if (made.kind === "repeat") values.splice(made.to, 0, there)
        else [values[made.at], values[made.to]] = [values[made.to], there]
      }
      const lines = linesOf(values)
      const outline = foldOf(claudeCode, MAIN, lines).outline(NO_SIDES)
      expectSound(outline)
      expect(foldOf(claudeCode, MAIN, lines, 1).outline(NO_SIDES)).toEqual(outline)
      for (const { messages } of plainSessions(claudeCode, MAIN, lines))
        for (const { parts } of messages) for (const part of parts) expect(typeof part.type).toBe("string")
      expect(fieldsOf({}).polluted).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test("what is passed over unread says nothing to those who read it", () => {
  const huge = line("p2", "a3", { type: "progress", data: "x".repeat(5000) })
  const { parentUuid, type, ...rest } = huge
  const values = SAMPLE.flatMap((value) => [
    value,
    { type: "queue-operation", content: "x" },
    { parentUuid, type, ...rest },
  ])
  const read = values.filter(
    (value) => claudeCode.isBookkeeping?.(Buffer.from(JSON.stringify(value))) !== true,
  )
  expect(values.length - read.length).toBeGreaterThanOrEqual(2 * SAMPLE.length)
  const said = (lines: readonly unknown[]) => sessionsOf(lines)
  expect(said(read)).toEqual(said(values))
  // One that was cut off, with a whole line behind it.
  const cut = `${JSON.stringify({ parentUuid, type, ...rest }).slice(0, 4000)}${JSON.stringify(user("u9", "a3", "whole"))}`
  expect(claudeCode.isBookkeeping?.(Buffer.from(cut))).toBe(false)
})

test("10,000 results of one call, or repeats of one line, leave a message of a few lines", () => {
  const lines: JsonObject[] = [user("u1", null, "go"), assistant("a1", "u1", "m1", call("t1"))]
  for (let at = 0; at < 10_000; at++) {
    lines.push(result(`r${at}`, "a1", "t1"), result("same", "a1", "t1"), result(`x${at}`, "a1", "nobody"))
    lines.push(assistant(`b${at}`, "a1", "m1", call("t1")))
  }
  const sessions = foldOf(claudeCode, MAIN, linesOf(lines)).outline(NO_SIDES)
  expectSound(sessions)
  expect(sessions.flatMap(({ messages }) => messages.map(({ spans }) => spans.length))).toEqual([1, 2, 1])
  // What was said to nobody goes on from the answer, and so is left when that is repeated.
  expect(sessions).toHaveLength(2)
})

test("trees that are circles, or as deep as they are long, are walked once", () => {
  const many = Array.from({ length: 20_000 }, (_, at) => at)
  const shapes: Record<string, (at: number) => string | null> = {
    deep: (at) => (at === 0 ? null : `u${at - 1}`),
    self: (at) => `u${at}`,
    circle: (at) => `u${(at + 1) % many.length}`,
    flat: (at) => (at === 0 ? null : "u0"),
    roots: () => null,
  }
  for (const [shape, parent] of Object.entries(shapes)) {
    const lines: Line[] = many.map((at) => ({
      value: { type: "user", uuid: `u${at}`, parentUuid: parent(at), message: { content: `words ${at}` } },
      span: [0, at, 1],
    }))
    const sessions = foldOf(claudeCode, MAIN, lines).outline(NO_SIDES)
    const isOne = shape === "deep" || shape === "self"
    expect([shape, sessions.length === 1]).toEqual([shape, isOne])
    expect([shape, sessions.flatMap(({ messages }) => messages).length]).toEqual([shape, many.length])
  }
})

test("a line nested a hundred thousand deep is taken in", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
  const value: unknown = JSON.parse(
    `{"type":"user","uuid":"u1","message":{"content":[{"type":"text","text":"deep"},{"type":"tool_result","tool_use_id":"t1","content":${deep}}]},"toolUseResult":${deep}}`,
  )
  const sessions = plainSessions(claudeCode, MAIN, [{ value, span: [0, 0, 1] }])
  expect(sessions[0]?.messages[0]?.parts).toMatchObject([
    { type: "text", text: "deep" },
    { type: "tool", callID: "t1" },
  ])
})
