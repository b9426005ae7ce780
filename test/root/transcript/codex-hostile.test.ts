import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { fieldsOf } from "../../../src/record/extract.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import {
  answer,
  call,
  event,
  item,
  meta,
  named,
  output,
  partsOf,
  placedLines,
  rollouts,
  SIDES,
  said,
  sessionsOf,
  told,
} from "./codex-transcripts.ts"
import { foldOf, plainSessions } from "./plain-parse.ts"

describe("hostile lines", () => {
  test("10,000 outputs for one call, and events of no call, take no room", () => {
    const repeats = Array.from({ length: 10_000 }, () => output("a"))
    const strays = Array.from({ length: 10_000 }, (_, at) =>
      event("exec_command_end", { call_id: `stray${at}` }),
    )
    const fold = foldOf(codex, named(), placedLines([meta(), said("go"), call("a"), ...repeats, ...strays]))
    expect(fold.outline(SIDES)[0]?.messages[1]?.spans.length).toBe(2)
    expect(JSON.stringify(fold.state()).length).toBeLessThan(10_000)
  })

  test("10,000 calls of one response each have their own output", () => {
    const calls = Array.from({ length: 10_000 }, (_, at) => call(`c${at}`))
    const outputs = Array.from({ length: 10_000 }, (_, at) => output(`c${at}`, `${at}`))
    const lines = [meta(), said("go"), ...calls, ...outputs, ...outputs]
    const [session] = sessionsOf(lines)
    expect(session?.messages.length).toBe(2)
    const outlined = foldOf(codex, named(), placedLines(lines)).outline(SIDES)[0]
    expect(outlined?.messages[1]?.spans.length).toBe(20_000)
    expect(
      partsOf(session)
        .slice(1)
        .every(({ state }, at) => fieldsOf(state).output === `${at}`),
    ).toBe(true)
  })

  test("tools that were found are told, nested a hundred thousand deep or not", () => {
    const text = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
    const tools: unknown = JSON.parse(text)
    const search = item("tool_search_call", { call_id: "a", arguments: "{}" })
    const found = item("tool_search_output", { call_id: "a", tools })
    const [, part] = partsOf(sessionsOf([meta(), said("go"), search, found])[0])
    expect(fieldsOf(part?.state).output).toBe(text)
  })

  test("10,000 messages of one id have one each", () => {
    const lines = Array.from({ length: 10_000 }, (_, at) =>
      said(`${at}`, { id: at % 2 === 0 ? "same" : "x".repeat(120) }),
    )
    const outlined = foldOf(codex, named(), placedLines([meta(), ...lines])).outline(SIDES)[0]
    expect(new Set(outlined?.messages.map(({ id }) => id)).size).toBe(10_000)
  })

  test("strange values in every place are survived, and what is sound is read", () => {
    const deep = JSON.parse(`${"[".repeat(5000)}1${"]".repeat(5000)}`) as unknown
    const strange = [
      null,
      3,
      -1e308,
      "",
      "\ud800",
      "__proto__",
      [],
      {},
      deep,
      JSON.parse('{"__proto__":{"x":1},"constructor":2}') as unknown,
      true,
    ]
    const kinds = [
      "session_meta",
      "turn_context",
      "response_item",
      "event_msg",
      "token_usage_record",
      "compacted",
      "strange",
    ]
    const types = [
      "message",
      "reasoning",
      "function_call",
      "function_call_output",
      "agent_message",
      "token_count",
      "error",
      "web_search_call",
      "item_completed",
      "thread_rolled_back",
      "__proto__",
    ]
    const fields = [
      "id",
      "call_id",
      "content",
      "role",
      "summary",
      "info",
      "item",
      "usage",
      "message",
      "action",
      "output",
      "arguments",
      "name",
      "git",
      "source",
      "num_turns",
      "history_base",
    ]
    const lines: unknown[] = [...strange, meta(), said("go")]
    for (const kind of kinds)
      for (const value of strange) {
        lines.push({ timestamp: value, type: kind, payload: value })
        for (const type of types)
          lines.push({
            timestamp: "x",
            type: kind,
            payload: Object.fromEntries([["type", type], ...fields.map((name) => [name, value] as const)]),
          })
      }
    lines.push(said("last"), answer("done"))
    const sessions = sessionsOf(lines)
    expect(sessions).toEqual(sessionsOf(lines, { stops: 7 }))
    expect(told(sessions[0]).slice(-2)).toEqual(["> last", "< done"])
  })

  test("mutated, swapped and doubled lines: no throw, ids unique, the same when stopped", () => {
    const all = rollouts()
    const pick = fc.record({
      rollout: fc.nat(all.length - 1),
      edits: fc.array(
        fc.tuple(
          fc.constantFrom("drop", "swap", "double", "break"),
          fc.nat(200),
          fc.nat(200),
          fc.jsonValue(),
        ),
        { maxLength: 12 },
      ),
      stops: fc.integer({ min: 1, max: 9 }),
    })
    fc.assert(
      fc.property(pick, ({ rollout, edits, stops }) => {
        const { name, lines } = all[rollout] ?? { name: named(), lines: [] }
        const values = lines.map(({ value }) => value)
        for (const [edit, a, b, json] of edits) {
          const at = a % values.length
          const to = b % values.length
          if (edit === "drop") values.splice(at, 1)
          else if (edit === "double") values.splice(to, 0, values[at])
          else if (edit === "swap") [values[at], values[to]] = [values[to], values[at]]
          else values[at] = broken(values[at], b, json)
          if (values.length === 0) return
        }
        const changed = placedLines(values)
        const sessions = plainSessions(codex, name, changed)
        expect(plainSessions(codex, name, changed, { stops })).toEqual(sessions)
        for (const { messages } of sessions)
          expect(new Set(messages.map(({ info }) => info.id)).size).toBe(messages.length)
      }),
      { numRuns: 60 },
    )
  })
})

/** A line with something else in one of its places. */
function broken(value: unknown, place: number, json: unknown): unknown {
  const copy = structuredClone(value)
  const inner = fieldsOf(fieldsOf(copy).payload)
  const names = Object.keys(inner)
  const name = names[place % Math.max(1, names.length)]
  if (name !== undefined) inner[name] = json
  return copy
}
