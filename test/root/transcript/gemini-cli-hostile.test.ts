import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { fieldsOf, isJsonObject, type JsonObject } from "../../../src/record/extract.ts"
import type { Line } from "../../../src/root/transcript/agent.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import { soundId } from "../../../src/root/transcript/record-bodies.ts"
import {
  call,
  FRAME,
  fixtures,
  gemini,
  HEADER,
  linesOf,
  NAME,
  response,
  sessionsOf,
  set,
  told,
  user,
} from "./gemini-cli-lines.ts"
import { foldOf, NO_SIDES, plainSessions } from "./plain-parse.ts"

/** Nested deeper than any recursion goes. */
function deep(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { content: value }
  return value
}

const DEEP = deep(200_000)
const ODD: readonly unknown[] = [
  null,
  true,
  0,
  1e308,
  "",
  "text",
  [],
  [[]],
  {},
  JSON.parse('{"__proto__":{"id":"p","type":"user"},"constructor":1}'),
  "\ud800",
  "\udfff tail",
  "\ufeff",
  "\0",
  "x".repeat(10_000),
  -1,
  9_007_199_254_740_992,
  { toString: 1, valueOf: null },
  { $set: {} },
  { text: null },
  { functionCall: null },
  { functionResponse: { id: 1, response: 2 } },
  { inlineData: { data: 5 } },
  { thought: true, text: [] },
]

describe("hostile lines", () => {
  test.each(ODD.map((value) => [value]))("%p as a line, and in the place of every field", (value) => {
    const fields = [
      "id",
      "type",
      "timestamp",
      "content",
      "displayContent",
      "thoughts",
      "tokens",
      "model",
      "toolCalls",
    ]
    const lines: unknown[] = [
      value,
      { $set: value },
      { $set: { messages: value } },
      { $rewindTo: value },
      { messages: value },
    ]
    for (const name of ["sessionId", "projectHash", "startTime", "summary", "kind", "directories"])
      lines.push({ ...HEADER, [name]: value }, { $set: { [name]: value } })
    for (const name of fields) {
      for (const whole of [user("u1", "one"), gemini("g1", "1", 2, { toolCalls: [call("c1")] })]) {
        const odd = { ...whole, [name]: value }
        lines.push(odd, { ...whole, [name]: [value, value] }, set([odd, value]))
      }
    }
    for (const name of [
      "id",
      "name",
      "args",
      "result",
      "status",
      "timestamp",
      "description",
      "resultDisplay",
      "agentId",
    ])
      lines.push(
        gemini(`call-${name}`, "", 3, {
          toolCalls: [call("c2", { [name]: value }), call("c2", { [name]: [value] })],
        }),
      )
    lines.push(user("last", "still here"))
    const sessions = sessionsOf([HEADER, ...lines])
    expect(sessions.flatMap(told)).toContain("user | still here")
    expectSound(linesOf([HEADER, ...lines]))
  })

  test("lines nested deep pass through", () => {
    const [session] = sessionsOf([
      HEADER,
      DEEP,
      set([DEEP]),
      user("u1", "one", 1, { odd: DEEP }),
      gemini("g1", DEEP, 2, { toolCalls: [call("c1", { args: DEEP, result: DEEP, resultDisplay: DEEP })] }),
    ])
    expect(session?.messages).toHaveLength(2)
  })

  test("ten thousand results for one call are one part of a message with few lines", () => {
    const asked = gemini("g1", [{ functionCall: { id: "c1", name: "ls", args: {} } }])
    const answers = Array.from({ length: 10_000 }, (_, at) =>
      user(`r${at}`, [response("c1", `result ${at}`)]),
    )
    const lines = linesOf([HEADER, user("u1", "look"), asked, ...answers, user("u2", "thanks")])
    const [session] = foldOf(geminiCli, NAME, lines).outline(NO_SIDES)
    expect(session?.messages.map(({ spans }) => spans.length)).toEqual([1, 2, 1])
    const [said] = plainSessions(geminiCli, NAME, lines)
    expect(said?.messages[1]?.parts).toMatchObject([{ type: "tool", state: { output: "result 0" } }])
  })

  test("a call that is listed ten thousand times is one part", () => {
    const toolCalls = Array.from({ length: 10_000 }, (_, at) => call("c1", { result: `result ${at}` }))
    expect(sessionsOf([HEADER, gemini("g1", "", 2, { toolCalls })])[0]?.messages[0]?.parts).toMatchObject([
      { type: "tool", state: { output: "result 9999" } },
    ])
  })

  test("a copy whose type was damaged does not replace an answer, also where the person goes back to before it", () => {
    const damaged = { ...gemini("g1", "Well"), type: [] }
    for (const copies of [
      [gemini("g1", "Well"), damaged],
      [damaged, gemini("g1", "Well")],
    ]) {
      const lines = linesOf([HEADER, user("u1", "one"), ...copies, { $rewindTo: "g1" }])
      const sessions = foldOf(geminiCli, NAME, lines).outline(NO_SIDES)
      expect(sessions.map(({ messages }) => messages.map(({ id }) => id))).toEqual([["u1"], ["g1"]])
    }
  })

  test("ten thousand rewinds and lists take no more than their lines", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => [
      user(`u${at}`, `words ${at}`),
      { $rewindTo: `u${at}` },
      set([FRAME]),
    ])
    const sessions = foldOf(geminiCli, NAME, linesOf([HEADER, ...many.flat()])).outline(NO_SIDES)
    expect(sessions).toHaveLength(10_001)
    expect(
      JSON.stringify(foldOf(geminiCli, NAME, linesOf([HEADER, ...many.flat()])).state()).length,
    ).toBeLessThan(10_000_000)
  })

  test("half a surrogate pair in ids makes no two the same", () => {
    const lines = linesOf([HEADER, user("\ud800", "one"), user("\ud801", "two"), user("\ufffd", "three")])
    expectSound(lines)
    expect(plainSessions(geminiCli, NAME, lines)[0]?.messages).toHaveLength(3)
  })
})

/** One more change to a file, by numbers. */
type Change = readonly [kind: number, at: number, other: number]

function changed(lines: readonly Line[], changes: readonly Change[]): Line[] {
  const values = lines.map(({ value }) => value)
  for (const [kind, first, second] of changes) {
    if (values.length === 0) break
    const at = first % values.length
    const other = second % values.length
    const value = values[at]
    if (kind === 0) values.splice(at, 1)
    else if (kind === 1) values.splice(other, 0, value)
    else if (kind === 2) values.splice(other, 1, ...values.splice(at, 1, values[other]))
    else if (kind === 3) values.splice(at, 0, ODD[second % ODD.length])
    else if (kind === 4 && isJsonObject(value)) {
      const names = Object.keys(value)
      values[at] = { ...value, [names[second % names.length] ?? "id"]: ODD[first % ODD.length] }
    } else if (kind === 5) values.splice(other, 0, { $rewindTo: fieldsOf(value).id })
    else if (kind === 6) values.splice(other, 0, set(values.slice(at, at + 6)))
  }
  return linesOf(values)
}

const change = fc.tuple(fc.nat({ max: 6 }), fc.nat(), fc.nat())

/** What holds of any lines. */
function expectSound(lines: readonly Line[]): void {
  const sessions = foldOf(geminiCli, NAME, lines).outline(NO_SIDES)
  const ids = sessions.flatMap(({ messages }) => messages.map(({ id }) => id))
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(sessions.length)
  for (const { messages } of sessions)
    for (const { spans, about } of messages) {
      const at = fieldsOf(about).at
      const places = spans.map((span, place) => `${span} ${Array.isArray(at) ? at[place] : ""}`)
      expect(new Set(places).size).toBe(spans.length)
    }
  JSON.stringify(plainSessions(geminiCli, NAME, lines))
}

/** Answers with lines of their own: each of them is in a session, but for those that a compaction copied. */
function answersIn(lines: readonly Line[]): string[] {
  const values = lines.map(({ value }) => fieldsOf(value))
  const copied = new Set(
    values.flatMap(({ $set }) => {
      const list = fieldsOf($set).messages
      const elements: readonly JsonObject[] = Array.isArray(list) ? list.map(fieldsOf) : []
      return JSON.stringify(elements).includes("Got it.") ? elements.map(({ id }) => id) : []
    }),
  )
  return values.flatMap(({ id, type, $rewindTo }) =>
    type === "gemini" &&
    typeof id === "string" &&
    id !== "" &&
    typeof $rewindTo !== "string" &&
    !copied.has(id)
      ? [soundId(id)]
      : [],
  )
}

describe("any sequence of real lines, changed", () => {
  const files = fixtures().map(([, lines]) => lines)

  test("is told without a throw, with ids of its own, and each answer of the model once", () => {
    fc.assert(
      fc.property(fc.nat({ max: files.length - 1 }), fc.array(change, { maxLength: 12 }), (file, changes) => {
        const lines = changed(files[file] ?? [], changes)
        expectSound(lines)
        const shown = foldOf(geminiCli, NAME, lines)
          .outline(NO_SIDES)
          .flatMap(({ messages }) => messages.map(({ id }) => id))
        expect(shown).toEqual(expect.arrayContaining(answersIn(lines)))
      }),
      { numRuns: 300 },
    )
  })

  test("is the same whether it was stopped or not", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: files.length - 1 }),
        fc.array(change, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (file, changes, stops) => {
          const lines = changed(files[file] ?? [], changes)
          const atOnce = foldOf(geminiCli, NAME, lines)
          const stopped = foldOf(geminiCli, NAME, lines, stops)
          expect(stopped.outline(NO_SIDES)).toEqual(atOnce.outline(NO_SIDES))
          expect(JSON.stringify(stopped.state())).toBe(JSON.stringify(atOnce.state()))
        },
      ),
      { numRuns: 150 },
    )
  })
})
