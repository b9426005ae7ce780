import { describe, expect, test } from "bun:test"
import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import {
  answer,
  call,
  count,
  event,
  item,
  line,
  meta,
  OWN_TURN,
  output,
  partsOf,
  SESSION,
  said,
  sessionsOf,
  told,
} from "./codex-transcripts.ts"
import { ownId } from "./plain-parse.ts"

describe("messages", () => {
  test("are responses: an output, somebody's words or a usage ends one", () => {
    const usage = { input_tokens: 9, output_tokens: 5, total_tokens: 14 }
    const record = (response_id: string, total: number): JsonObject =>
      line("token_usage_record", { response_id, usage, thread_token_usage: { total_tokens: total } })
    const [session] = sessionsOf([
      meta(),
      said("go"),
      item("reasoning", { summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "hidden" }),
      call("a"),
      call("b"),
      output("b"),
      output("a"),
      answer("one"),
      record("r1", 14),
      record("r1", 14),
      answer("two"),
      record("r2", 28),
      count(28, 5),
      said("next"),
      answer("three"),
    ])
    expect(told(session)).toEqual([
      "> go",
      "< hm | shell a completed out of a | shell b completed out of b",
      "< one (5)",
      "< two (5)",
      "> next",
      "< three",
    ])
    expect(JSON.stringify(session)).not.toContain("hidden")
  })

  test("are one, however often a line of them was written", () => {
    const asked = said("go", { id: "msg_1" })
    const called = call("a", { id: "fc_1" })
    const lines = [meta(), asked, asked, called, output("a"), called, output("a"), answer("x")]
    expect(told(sessionsOf(lines)[0])).toEqual(["> go", "< shell a completed out of a", "< x"])
  })

  test("have ids of the agent's, which may be names of ours", () => {
    const [session] = sessionsOf([
      meta(),
      said("go", { id: "msg_1" }),
      answer("x", { id: "../x" }),
      said("on"),
    ])
    const ids = session?.messages.map(({ info }) => ownId(info)) ?? []
    expect(ids[0]).toBe("msg_1")
    expect(ids[1]).toMatch(/^[0-9a-f]{32}$/)
    expect(ids[2]).toBe(`${SESSION}-000003`)
  })

  test("tell the model's own thoughts too, and the phase of what it said", () => {
    const thoughts = {
      summary: [{ type: "summary_text", text: "short" }],
      content: [{ type: "reasoning_text", text: "long" }],
    }
    const [session] = sessionsOf([
      meta(),
      said("go"),
      item("reasoning", thoughts),
      answer("x", { phase: "commentary" }),
    ])
    expect(told(session)).toEqual(["> go", "< short | long | x"])
    expect(partsOf(session).at(-1)?.metadata).toEqual({ phase: "commentary" })
  })

  test("are counted by what the total grew, before their items or behind them", () => {
    const behind = [call("a"), count(5, 5), output("a"), count(5, 5), answer("x"), count(12, 7)]
    expect(told(sessionsOf([meta(), said("go"), count(0, 0), ...behind])[0])).toEqual([
      "> go",
      "< shell a completed out of a (5)",
      "< x (7)",
    ])
    expect(told(sessionsOf([meta(), said("go"), count(5, 5), count(12, 7), answer("x")])[0]).at(-1)).toBe(
      "< x (12)",
    )
    const nameless = line("token_usage_record", { usage: { output_tokens: 5 } })
    expect(told(sessionsOf([meta(), said("go"), answer("x"), nameless, answer("y"), nameless])[0])).toEqual([
      "> go",
      "< x (5)",
      "< y (5)",
    ])
    const before = [count(5, 5), call("a"), output("a"), count(5, 5), count(12, 7), answer("x")]
    expect(told(sessionsOf([meta(), said("go"), ...before])[0])).toEqual([
      "> go",
      "< shell a completed out of a (5)",
      "< x (7)",
    ])
  })

  test("are not counted by the newest count of a turn that was cut out", () => {
    const turn = (words: string, total: number): JsonObject[] => [said(words), answer(words), count(total, 5)]
    const kept = [meta(), ...turn("one", 5), said("three"), count(10, 5), answer("three"), count(15, 5)]
    expect(told(sessionsOf(kept)[0])).toEqual(["> one", "< one (5)", "> three", "< three (5)"])
    const [session] = sessionsOf([...kept, said("four"), answer("four")])
    expect(told(session).at(-1)).toBe("< four")
    const second = [
      meta(),
      said("two"),
      count(10, 5),
      answer("two"),
      count(15, 5),
      said("three"),
      answer("three"),
    ]
    expect(told(sessionsOf(second)[0])).toEqual(["> two", "< two (5)", "> three", "< three"])
  })

  test("tell cached, written and reasoned tokens once each", () => {
    const usage = {
      input_tokens: 100,
      cached_input_tokens: 60,
      cache_write_input_tokens: 10,
      output_tokens: 50,
      reasoning_output_tokens: 20,
      total_tokens: 150,
    }
    const record = line("token_usage_record", { response_id: "r", usage })
    const [session] = sessionsOf([meta(), said("go"), answer("x"), record])
    expect(session?.messages[1]?.info.tokens).toEqual({
      input: 30,
      output: 30,
      reasoning: 20,
      cache: { read: 60, write: 10 },
    })
  })

  test("tell model, provider, mode, directory, and which words they answer", () => {
    const context = line("turn_context", {
      model: "gpt-5",
      cwd: "/home/dev/app/sub",
      effort: "high",
      collaboration_mode: { mode: "plan" },
    })
    const settings = event("thread_settings_applied", {
      thread_settings: { model_provider_id: "other", effort: "low" },
    })
    const [session] = sessionsOf([meta(), said("go"), context, settings, answer("x"), event("task_complete")])
    const [asked, answered] = session?.messages ?? []
    expect(
      sessionsOf([meta(), said("go"), context, answer("x"), said("on")])[0]?.messages[1]?.info.path,
    ).toEqual({
      cwd: "/home/dev/app/sub",
      root: "/home/dev/app",
    })
    expect(answered?.info).toMatchObject({
      parentID: asked?.info.id,
      modelID: "gpt-5",
      providerID: "other",
      mode: "plan",
      path: { cwd: "/home/dev/app/sub", root: "/home/dev/app" },
      metadata: { effort: "low" },
    })
  })

  test("are completed by their last line, once no call of theirs is open", () => {
    const begun = [meta(), event("task_started", { turn_id: OWN_TURN }), said("go")]
    const completed = (...more: JsonObject[]): unknown =>
      fieldsOf(sessionsOf([...begun, ...more])[0]?.messages.at(-1)?.info.time).completed
    expect(completed(answer("x"))).toBeUndefined()
    expect(completed(call("a"), count(5, 5))).toBeUndefined()
    const calls = [call("a"), count(5, 5)]
    const given = output("a")
    expect(completed(...calls, given)).toBe(Date.parse(String(given.timestamp)))
    const last = answer("x")
    expect(completed(last, event("task_complete"))).toBe(Date.parse(String(last.timestamp)))
  })

  test("stopped by the person, or failed, say so", () => {
    const aborted = sessionsOf([
      meta(),
      said("go"),
      call("a"),
      event("turn_aborted", { reason: "interrupted" }),
    ])[0]
    expect(aborted?.messages[1]?.info.error).toEqual({
      name: "MessageAbortedError",
      data: { message: "interrupted" },
    })
    expect(told(aborted)).toEqual(["> go", "< shell a error Tool execution aborted"])
    const behind = [said("<turn_aborted>\nby hand</turn_aborted>"), event("turn_aborted"), said("on")]
    const followed = sessionsOf([meta(), said("go"), answer("x"), ...behind])[0]
    expect(followed?.messages[1]?.info.error).toEqual({
      name: "MessageAbortedError",
      data: { message: "aborted" },
    })
    const unanswered = sessionsOf([meta(), said("one"), answer("1"), said("two"), ...behind])[0]
    expect(unanswered?.messages.map(({ info }) => info.error)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    const start = event("task_started", { turn_id: OWN_TURN })
    const compaction = [start, said("go"), answer("x"), event("task_complete"), start, event("turn_aborted")]
    expect(sessionsOf([meta(), ...compaction])[0]?.messages[1]?.info.error).toBeUndefined()
    const ended = event("task_complete", { error: { message: "no quota" } })
    expect(sessionsOf([meta(), said("go"), ended])[0]?.messages[1]?.info.error).toEqual({
      name: "UnknownError",
      data: { message: "no quota" },
    })
    const failed = sessionsOf([meta(), said("go"), event("error", { message: "no quota" })])[0]
    expect(failed?.messages[1]?.info).toMatchObject({
      role: "assistant",
      error: { data: { message: "no quota" } },
    })
  })

  test("sum up what was before: on their own, or as a response with a mark of it", () => {
    const compacted = line("compacted", { message: "In short", replacement_history: [said("again")] })
    const start = event("task_started", { turn_id: OWN_TURN })
    const old = sessionsOf([
      meta(),
      start,
      said("go"),
      answer("x"),
      start,
      count(5, 5),
      compacted,
      said("on"),
    ])[0]
    expect(told(old)).toEqual(["> go", "< x (5)", "< compaction | In short", "> on"])
    expect(old?.messages[2]?.info.summary).toBe(true)
    expect(partsOf(old).find(({ type }) => type === "compaction")).toMatchObject({ auto: false })
    const summary = answer("Short", {})
    const marked = { ...summary, metadata: { compaction_output: true } }
    const today = sessionsOf([meta(), start, said("go"), answer("x"), marked, compacted, answer("y")])[0]
    expect(told(today)).toEqual(["> go", "< x", "< compaction | Short", "< y"])
    const twice = sessionsOf([meta(), marked, compacted, compacted])[0]
    expect(told(twice)).toEqual(["< compaction | Short", "< compaction | In short"])
    expect(partsOf(today).find(({ type }) => type === "compaction")).toMatchObject({ auto: true })
  })

  test("hold pictures as files, without the marks around them", () => {
    const url = "data:image/png;base64,iVBORw0KGgo="
    const content = [
      { type: "input_text", text: "see" },
      { type: "input_text", text: "<image name=[Image #1]>" },
      { type: "input_image", image_url: url },
      { type: "input_text", text: "</image>" },
    ]
    const [session] = sessionsOf([meta(), item("message", { role: "user", content })])
    expect(partsOf(session)).toMatchObject([
      { type: "text", text: "see" },
      { type: "file", mime: "image/png", url },
    ])
  })
})

describe("pictures", () => {
  test("that the model asked to see are of its message, though older releases wrote them as the person's", () => {
    const picture = item("message", {
      role: "user",
      content: [{ type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" }],
    })
    const lines = [
      meta(),
      said("go"),
      call("v", { name: "view_image" }),
      picture,
      output("v", "attached"),
      answer("seen"),
    ]
    expect(told(sessionsOf(lines)[0])).toEqual(["> go", "< view_image v completed attached | file", "< seen"])
    expect(told(sessionsOf([meta(), picture])[0])).toEqual(["> file"])
  })
})
