import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import { Copies, outputOf } from "../../../src/repository/copies.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import {
  answer,
  call,
  count,
  event,
  HOME,
  item,
  line,
  meta,
  named,
  output,
  placedLines,
  rollouts,
  SESSION,
  SIDES,
  said,
  sessionsOf,
} from "./codex-transcripts.ts"
import { foldOf, type PlainSession, plainSessions } from "./plain-parse.ts"
import { rendered } from "./rendered.ts"

const OWN_TURN = "01a30000-0001-7000-8000-000000000000"
const OLD_TURN = "01a2ffff-0001-7000-8000-000000000000"

/** The meta of the session that a fork replays. */
function source(): JsonObject {
  return meta({ id: "01a2fffe-0000-7000-8000-000000000000" })
}

/** What was said, a line a message: its texts, its calls with what they gave, and what it took. */
function told(session: PlainSession | undefined): string[] {
  return (session?.messages ?? []).map(({ info, parts }) => {
    const pieces = parts.map((part) => {
      const { status, output, error } = fieldsOf(part.state)
      if (part.type === "tool") return `${part.tool} ${part.callID} ${status} ${error ?? output ?? ""}`.trim()
      return part.text === undefined ? String(part.type) : `${part.synthetic === true ? "~" : ""}${part.text}`
    })
    const { output } = fieldsOf(info.tokens)
    return `${info.role === "user" ? ">" : "<"} ${pieces.join(" | ")}${output === undefined ? "" : ` (${output})`}`
  })
}

function partsOf(session: PlainSession | undefined): JsonObject[] {
  return (session?.messages ?? []).flatMap(({ parts }) => parts)
}

/** Tokens of all messages, each response once, as the totals of usage count them. */
function outputTokens(sessions: readonly PlainSession[]): number {
  const copies = new Copies()
  let sum = 0
  for (const { messages } of sessions) {
    for (const { info } of messages) {
      const earlier = copies.earlier(info) ?? 0
      sum += Math.max(0, outputOf(info) - earlier)
    }
    copies.nextSession()
  }
  return sum
}

describe("what releases wrote", () => {
  test("reads every fixture as its client was told and printed", () => {
    const golden = rollouts().flatMap(({ name, lines }) =>
      plainSessions(codex, name, lines, { sides: SIDES }).map(rendered),
    )
    expect(`${golden.join("\n\n")}\n`).toBe(readFileSync(join(HOME, "transcripts.txt"), "utf8"))
  })

  test("says the same when it is stopped after each line", () => {
    for (const { name, lines } of rollouts())
      expect(plainSessions(codex, name, lines, { stops: 1 })).toEqual(plainSessions(codex, name, lines))
  })

  test("counts every response once over forks of both kinds and forks of forks", () => {
    const sessions = rollouts().flatMap(({ name, lines }) => plainSessions(codex, name, lines))
    const asked = (pattern: string): PlainSession[] =>
      sessions.filter(({ info }) => String(info.id).includes(pattern))
    // Each response of the stand-in gave 20 tokens and 10 of reasoning. 0.100: 6 of the source, 4 of its fork, 1 of the fork's.
    expect(outputTokens(asked("01a21904-"))).toBe(11 * 20)
    // 0.130, a subagent that replays its parent's turns but not their items: responses 1 to 11, of 20 tokens and their number.
    expect(outputTokens(asked("01a21918-"))).toBe(11 * 20 + 66)
    // 0.171: 5 of the source, and 2 of its fork, which reads the source's file.
    expect(outputTokens([...asked("01a21757-8c14"), ...asked("01a21758-64db")])).toBe(7 * 20)
  })

  test("tells by bytes no line that says something, and what it tells changes nothing", () => {
    for (const { name, lines } of rollouts()) {
      const text = lines.map(({ value }) => Buffer.from(JSON.stringify(value)))
      const kept = lines.filter((_, at) => !codex.isBookkeeping?.(text[at] ?? new Uint8Array()))
      const twice =
        /"(?:world_state|user_message|agent_message|agent_reasoning|UserMessage|AgentMessage|Reasoning|record_type|ghost_snapshot)"/
      expect(kept.filter(({ value }) => twice.test(JSON.stringify(value).slice(0, 300)))).toEqual([])
      expect(kept.length).toBeLessThan(lines.length)
      expect(plainSessions(codex, name, kept)).toEqual(plainSessions(codex, name, lines))
    }
  })

  test("ids are unlike any other of a session", () => {
    for (const { name, lines } of rollouts())
      for (const { messages } of plainSessions(codex, name, lines)) {
        const ids = messages.map(({ info }) => info.id)
        expect(new Set(ids).size).toBe(ids.length)
      }
  })
})

describe("where it lies", () => {
  test("knows rollouts by their names, archived or not, as one container", () => {
    const path = `2026/11/29/rollout-2026-11-29T08-00-00-${SESSION}.jsonl`
    const plain = codex.container(`sessions/${path}`)
    expect(plain).toEqual({
      name: `2026-11-29T08-00-00-${SESSION}`,
      rank: 0,
      form: "lines",
      session: SESSION,
      archived: false,
    })
    const archived = codex.container(`archived_sessions/rollout-2026-11-29T08-00-00-${SESSION}.jsonl`)
    expect(archived).toEqual({ ...plain, archived: true, name: plain?.name ?? "", rank: 0, form: "lines" })
    for (const other of [
      `other/${path}`,
      "sessions/2026/11/29/rollout-x.jsonl",
      "session_index.jsonl",
      `sessions/${path}.tmp`,
    ])
      expect(codex.container(other)).toBeUndefined()
  })

  test("looks where CODEX_HOME points first", () => {
    expect(codex.places({ CODEX_HOME: "/data/codex" }, "/home/dev")).toEqual([
      "/data/codex",
      "/home/dev/.codex",
    ])
    expect(codex.places({}, "/home/dev")).toEqual(["/home/dev/.codex"])
  })

  test("names the base of a fork by its first line, and none by any other", () => {
    const base = { thread_id: "b", end_ordinal_exclusive: 4, end_byte_offset: 99 }
    expect(codex.base?.(meta({ history_base: base }))).toEqual({ session: "b", bytes: 99 })
    for (const first of [meta(), said("x"), null, 3, "text", [], meta({ history_base: { thread_id: 3 } })])
      expect(codex.base?.(first)).toBeUndefined()
    expect(codex.base?.(item("message", { history_base: base }))).toBeUndefined()
    expect(codex.base?.(meta({ history_base: { ...base, end_byte_offset: "99" } }))).toBeUndefined()
    expect(codex.base?.(meta({ history_base: { ...base, end_byte_offset: -1 } }))).toBeUndefined()
  })
})

describe("what a session is called", () => {
  test("by the newest name that a person gave, however the list is torn", () => {
    const entry = (id: string, thread_name: unknown): string =>
      JSON.stringify({ id, thread_name, updated_at: "" })
    const names = [
      entry(SESSION, "First"),
      entry(SESSION, "Second"),
      `{"id":"${SESSION}","thread_na`,
      entry("other", SESSION),
    ]
    const text = [...names, entry(SESSION, " "), entry(SESSION, 3), ""].join("\n")
    const title = (list: string): unknown =>
      sessionsOf([meta(), said("Words")], { sides: { text: () => list } })[0]?.info.title
    expect(title(text)).toBe("Second")
    expect(title("")).toBe("Words")
    expect(title(names.slice(2).join("\n"))).toBe("Words")
  })

  test("by the person's first words, never by what the client says in their place", () => {
    const wrappers = [
      "<environment_context>\n<cwd>/x</cwd></environment_context>",
      "<user_instructions>\nbe good</user_instructions>",
      "# AGENTS.md instructions for /x\n\n<INSTRUCTIONS>no</INSTRUCTIONS>",
      "<permissions instructions>all</permissions instructions>",
      '<skill name="a">b</skill>',
    ]
    const developer = item("message", { role: "developer", content: [{ type: "input_text", text: "obey" }] })
    const [session] = sessionsOf([
      meta(),
      developer,
      ...wrappers.map((text) => said(text)),
      said("  My\nwords "),
      said("more"),
    ])
    expect(session?.info.title).toBe("My words")
    expect(told(session)).toEqual([
      `> ${["obey", ...wrappers].map((text) => `~${text}`).join(" | ")} |   My\nwords `,
      "> more",
    ])
  })

  test("by kinds of content where they are told, whatever the text looks like", () => {
    const kinds = (...content_item_kinds: string[]): JsonObject => ({
      internal_chat_message_metadata_passthrough: { content_item_kinds },
    })
    const [session] = sessionsOf([
      meta(),
      said("looks like words", kinds("environments.environment_context")),
      said("<skill>is pasted</skill>", kinds("user.text")),
    ])
    expect(session?.info.title).toBe("<skill>is pasted</skill>")
    const review = said("<user_action>review</user_action>", kinds("unknown"))
    expect(told(sessionsOf([meta(), review])[0])).toEqual(["> ~<user_action>review</user_action>"])
    expect(told(session)).toEqual(["> ~looks like words | <skill>is pasted</skill>"])
  })

  test("by what follows an editor's context, and by the name that a line gives", () => {
    const context =
      "# Context from my IDE setup:\n\n## Open tabs:\n- a.ts\n\n## My request for Codex:\nmend it\n"
    const [session] = sessionsOf([meta(), said(context)])
    expect(session?.info.title).toBe("mend it")
    expect(partsOf(session).map(({ synthetic }) => synthetic === true)).toEqual([true, false])
    const other = event("thread_name_updated", { thread_id: "other", thread_name: "Not this" })
    const own = event("thread_name_updated", { thread_id: SESSION, thread_name: "This" })
    expect(sessionsOf([meta(), said("words"), own, other])[0]?.info.title).toBe("This")
  })

  test("a session nobody spoke in has no title, and lines that say nothing no session", () => {
    expect(codex.fold(named()).outline(SIDES)).toEqual([])
    const ghost = item("ghost_snapshot", { ghost_commit: { id: "c0ffee" } })
    expect(sessionsOf([null, 3, "text", [], { record_type: "state", id: "x" }, ghost])).toEqual([])
    expect(sessionsOf([meta()])[0]?.info.title).toBe("Untitled")
  })
})

describe("the session", () => {
  test("tells release, work tree, branch, and no secret of the repository's address", () => {
    const [session] = sessionsOf([meta({ originator: "codex_cli_rs", source: "cli" }), said("x")])
    expect(session?.info).toMatchObject({ id: SESSION, version: "0.130.0", directory: "/home/dev/app" })
    expect(session?.info.metadata).toEqual({
      git: { branch: "main", commit: "c0ffee", repository: "https://example.com/app.git" },
      source: "cli",
      originator: "codex_cli_rs",
    })
  })

  test("a subagent's is a child of the session whose tool started it", () => {
    const thread_spawn = {
      parent_thread_id: "parent",
      depth: 1,
      agent_nickname: "Ada",
      agent_role: "explorer",
    }
    const [session] = sessionsOf([meta({ source: { subagent: { thread_spawn } } }), said("look")])
    expect(session?.info).toMatchObject({
      parentID: "parent",
      metadata: { source: "subagent", agent: { name: "Ada", role: "explorer" } },
    })
    const [review] = sessionsOf([meta({ source: { subagent: "review" } }), said("look")])
    expect(review?.info.parentID).toBeUndefined()
    expect(sessionsOf([meta({ parent_thread_id: "parent" })])[0]?.info.parentID).toBe("parent")
    expect(sessionsOf([meta({ parent_thread_id: SESSION })])[0]?.info.parentID).toBeUndefined()
    expect(review?.info).toMatchObject({ metadata: { source: "review" } })
  })

  test("goes on with what another agent said to it, which is not the person's", () => {
    const content = [
      { type: "input_text", text: "do this" },
      { type: "encrypted_content", encrypted_content: "hidden" },
    ]
    const [session] = sessionsOf([
      meta(),
      item("agent_message", { author: "/root", recipient: "/root/a", content }),
      answer("done"),
    ])
    expect(told(session)).toEqual(["> ~do this", "< done"])
    expect(session?.info.title).toBe("do this")
    const other = item("agent_message", { author: "/root", recipient: "/root/a", content })
    expect(sessionsOf([meta(), other, said("my words")])[0]?.info.title).toBe("my words")
    expect(partsOf(session)[0]?.metadata).toEqual({ author: "/root", recipient: "/root/a" })
  })

  test("without a meta is of its file's name and of the times of its lines", () => {
    const [session] = sessionsOf([
      { type: "message", role: "user", content: [{ type: "input_text", text: "bare" }] },
    ])
    expect(session?.info).toMatchObject({
      id: SESSION,
      title: "bare",
      time: { created: Date.UTC(2026, 10, 29, 8) },
    })
  })

  test("of the oldest form has the work tree that its first message tells, and messages without times of their own", () => {
    const bare = (role: string, text: string): JsonObject => ({ type: "message", role, content: [{ text }] })
    const first = { id: SESSION, timestamp: "2026-11-29T08:00:00.000Z", instructions: null }
    const tree = bare(
      "user",
      "<environment_context>\n\nCurrent working directory: /old/tree\nApproval policy: never\n</environment_context>",
    )
    const [session] = sessionsOf([
      first,
      tree,
      bare("user", "go"),
      bare("assistant", "x"),
      bare("user", "on"),
    ])
    expect(session?.info).toMatchObject({
      directory: "/old/tree",
      time: { created: Date.UTC(2026, 10, 29, 8) },
    })
    expect(session?.messages[1]?.info.time).toEqual({ created: Date.UTC(2026, 10, 29, 8) })
  })

  test("takes the newest meta of its own, as Codex does", () => {
    const [session] = sessionsOf([meta(), said("x"), meta({ cwd: "/moved", cli_version: "0.140.0" })])
    expect(session?.info).toMatchObject({ directory: "/moved", version: "0.140.0" })
  })
})

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
    const ids = session?.messages.map(({ info }) => String(info.id)) ?? []
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

describe("turns taken back", () => {
  test("are out of sight, and a child session that counts what they took", () => {
    const sessions = sessionsOf([
      meta(),
      said("one"),
      answer("1"),
      count(5, 5),
      said("two"),
      answer("2"),
      count(12, 7),
      said("<turn_aborted>\n</turn_aborted>"),
      said("three"),
      answer("3"),
      event("thread_rolled_back", { num_turns: 2 }),
      said("four"),
    ])
    expect(sessions.map(told)).toEqual([
      ["> one", "< 1 (5)", "> four"],
      ["> two", "< 2 (7)", "> ~<turn_aborted>\n</turn_aborted> | three", "< 3"],
    ])
    expect(sessions[1]?.info).toMatchObject({
      parentID: SESSION,
      title: "one (reverted)",
      metadata: { reverted: true },
    })
  })

  test("say the same when stopped, though an output of theirs comes late and ids come again", () => {
    const lines = [
      meta(),
      source(),
      event("task_started", { turn_id: OLD_TURN }),
      said("old", { id: "m" }),
      call("late", { id: "f" }),
      event("thread_rolled_back", { num_turns: 1 }),
      event("task_started", { turn_id: OWN_TURN }),
      said("new", { id: "m" }),
      answer("x", { id: "f" }),
      output("late"),
      said("gone"),
      call("later"),
      event("thread_rolled_back", { num_turns: 1 }),
      output("later"),
    ]
    expect(sessionsOf(lines, { stops: 1 })).toEqual(sessionsOf(lines))
    expect(sessionsOf(lines)[0]?.messages[0]?.info.id).toBe("m")
  })

  test("of any number leave the rest as it is", () => {
    const roll = (num_turns: unknown): string[][] =>
      sessionsOf([meta(), said("one"), answer("1"), event("thread_rolled_back", { num_turns })]).map(told)
    expect(roll(1e300)).toEqual([[], ["> one", "< 1"]])
    expect(
      sessionsOf([
        meta(),
        source(),
        said("old"),
        event("task_started", { turn_id: OWN_TURN }),
        said("new"),
        event("thread_rolled_back", { num_turns: 2 }),
      ]).map(told),
    ).toEqual([[], ["> new"]])
    for (const none of [0, -1, "1", null, undefined]) expect(roll(none)).toEqual([["> one", "< 1"]])
  })
})

describe("forks", () => {
  test("that replay are called by their own names, and count what is their own", () => {
    const [session, ...others] = sessionsOf([
      meta({ forked_from_id: "01a2fffe-0000-7000-8000-000000000000", cwd: "/fork" }),
      source(),
      event("task_started", { turn_id: OLD_TURN }),
      said("old"),
      answer("1"),
      count(5, 5),
      said("taken back"),
      event("thread_rolled_back", { num_turns: 1 }),
      event("task_started", { turn_id: OWN_TURN }),
      said("new"),
      answer("2"),
      count(12, 7),
    ])
    expect(told(session)).toEqual(["> old", "< 1", "> new", "< 2 (7)"])
    expect(session?.info).toMatchObject({ id: SESSION, directory: "/fork", title: "new" })
    expect(session?.messages[1]?.info.metadata).toMatchObject({ replayed: true, tokens: { output: 5 } })
    expect(others).toEqual([])
  })

  test("that replay are known without their source's meta, as once they were migrated", () => {
    const [session] = sessionsOf([
      meta({ forked_from_id: "01a2fffe-0000-7000-8000-000000000000" }),
      event("task_started", { turn_id: OLD_TURN }),
      said("old"),
      answer("1"),
      count(5, 5),
      event("task_started", { turn_id: OWN_TURN }),
      said("new"),
      answer("2"),
      count(12, 7),
    ])
    expect(told(session)).toEqual(["> old", "< 1", "> new", "< 2 (7)"])
  })

  test("without ids of turns end their replay at the first pause", () => {
    const at = (ms: number, value: JsonObject): JsonObject => ({
      ...value,
      timestamp: new Date(Date.UTC(2026, 10, 29) + ms).toISOString(),
    })
    const [session] = sessionsOf([
      at(0, meta()),
      at(1, source()),
      at(2, said("old")),
      at(400, answer("1")),
      at(401, count(5, 5)),
      at(3000, said("new")),
      at(3100, answer("2")),
      at(3101, count(12, 7)),
    ])
    expect(told(session)).toEqual(["> old", "< 1", "> new", "< 2 (7)"])
  })

  test("of today read their base first, whose meta is not theirs, nor a replay in it their tokens", () => {
    const base = "01a2ffff-ffff-7000-8000-000000000000"
    const first = placedLines([
      meta({ id: base, cwd: "/base", forked_from_id: "01a2fffe-0000-7000-8000-000000000000" }),
      source(),
      event("task_started", { turn_id: OLD_TURN }),
      said("replayed"),
      answer("0"),
      count(3, 3),
      event("task_started", { turn_id: OWN_TURN }),
      said("before"),
      answer("1"),
      count(8, 5),
    ])
    const own = placedLines(
      [
        meta({
          model_provider: "q",
          forked_from_id: base,
          history_base: { thread_id: base, end_byte_offset: 90 },
        }),
        said("new"),
        answer("2"),
        count(15, 7),
      ],
      1,
    )
    const [session] = plainSessions(codex, named(), [...first, ...own])
    expect(told(session)).toEqual(["> replayed", "< 0", "> before", "< 1 (5)", "> new", "< 2 (7)"])
    expect(session?.info).toMatchObject({ id: SESSION, directory: "/home/dev/app", title: "new" })
    const rolled = placedLines([
      meta({ id: base }),
      said("gone"),
      answer("0"),
      event("thread_rolled_back", { num_turns: 1 }),
    ])
    expect(plainSessions(codex, named(), [...rolled, ...own]).map(told)).toEqual([["> new", "< 2 (7)"]])
    expect(session?.messages[3]?.info.providerID).toBe("p")
    const back = placedLines([meta(), said("new"), event("thread_rolled_back", { num_turns: 2 })], 1)
    expect(plainSessions(codex, named(), [...first, ...back]).map(told)).toEqual([
      ["> replayed", "< 0"],
      ["> new"],
    ])
    const pending = placedLines([meta({ id: base }), said("before"), count(5, 5)])
    expect(told(plainSessions(codex, named(), [...pending, ...own])[0])).toEqual([
      "> before",
      "> new",
      "< 2 (7)",
    ])
    // Their base is gone: what is left is theirs.
    expect(told(plainSessions(codex, named(), own)[0])).toEqual(["> new", "< 2 (7)"])
  })
})

describe("tools", () => {
  const only = (...lines: JsonObject[]): JsonObject => {
    const part = partsOf(sessionsOf([meta(), said("go"), ...lines, said("end")])[0]).find(
      ({ type }) => type === "tool",
    )
    return part ?? {}
  }

  test("are one part, however many lines, with what the event of their end tells", () => {
    const end = {
      item: {
        type: "CommandExecution",
        id: "a",
        status: "failed",
        exit_code: 2,
        cwd: "file:///home/dev",
        aggregated_output: "raw",
      },
      started_at_ms: 1000,
      completed_at_ms: 1500,
    }
    const lines = [call("a"), event("item_completed", end), output("a", "seen")]
    expect(only(...lines)).toMatchObject({
      tool: "shell",
      callID: "a",
      state: {
        status: "error",
        input: { cmd: "a" },
        output: "seen",
        error: "Exited with code 2",
        time: { start: 1000, end: 1500 },
        metadata: { exit: 2, cwd: "/home/dev" },
      },
    })
  })

  test("may have the event before the call, and a call without an output may have that of the event", () => {
    const end = event("exec_command_end", { call_id: "a", exit_code: 0, aggregated_output: "raw" })
    expect(only(end, call("a"))).toMatchObject({
      state: { status: "completed", output: "raw", metadata: { exit: 0 } },
    })
  })

  test("of servers are named by both, with the server's errors", () => {
    const named = call("m", { name: "search", namespace: "mcp__docs__" })
    const invocation = { server: "docs", tool: "search" }
    const fine = event("mcp_tool_call_end", {
      call_id: "m",
      invocation,
      result: { Ok: { content: [{ type: "text", text: "x" }] } },
    })
    expect(only(named, fine, output("m", "x"))).toMatchObject({
      tool: "mcp__docs__search",
      state: { status: "completed", output: "x", metadata: { server: "docs" } },
    })
    const broken = event("mcp_tool_call_end", { call_id: "m", invocation, result: { Err: "no server" } })
    expect(only(named, broken, output("m", "failed"))).toMatchObject({
      state: { status: "error", error: "no server" },
    })
    const said = event("mcp_tool_call_end", {
      call_id: "m",
      invocation,
      result: { Ok: { content: [], isError: true } },
    })
    const item = { type: "McpToolCall", id: "m", status: "declined" }
    expect(only(named, event("item_completed", { item }), output("m", "no"))).toMatchObject({
      state: { error: "declined" },
    })
    const snake = event("mcp_tool_call_end", {
      call_id: "m",
      invocation,
      result: { Ok: { content: [], is_error: true } },
    })
    expect(only(named, snake, output("m", "it failed"))).toMatchObject({ state: { status: "error" } })
    expect(only(named, output("m", { content: "it failed", success: false }))).toMatchObject({
      state: { error: "it failed" },
    })
    expect(only(named, said, output("m", "it failed"))).toMatchObject({
      state: { status: "error", error: "it failed" },
    })
  })

  test("that patch files tell which", () => {
    const patch = item("custom_tool_call", { name: "apply_patch", input: "*** Begin Patch", call_id: "p" })
    const end = event("patch_apply_end", {
      call_id: "p",
      success: true,
      changes: { "/home/dev/a.ts": { type: "add" } },
    })
    const given = item("custom_tool_call_output", {
      call_id: "p",
      output: '{"output":"Success","metadata":{"exit_code":0,"duration_seconds":0.25}}',
    })
    expect(only(patch, end, given)).toMatchObject({
      tool: "apply_patch",
      state: {
        input: "*** Begin Patch",
        output: "Success",
        metadata: { exit: 0, duration: 250, files: ["/home/dev/a.ts"] },
      },
    })
  })

  test("of the model's side need no output", () => {
    const search = item("web_search_call", {
      id: "ws",
      status: "completed",
      action: { type: "search", query: "bun" },
    })
    expect(only(search)).toMatchObject({
      tool: "web_search",
      callID: "ws",
      state: { status: "completed", input: { query: "bun" } },
    })
    const image = item("image_generation_call", {
      id: "ig",
      status: "completed",
      revised_prompt: "a cat",
      result: "iVBORw0KGgo=",
    })
    expect(only(image)).toMatchObject({
      tool: "image_generation",
      state: {
        input: { prompt: "a cat" },
        attachments: [{ type: "file", url: "data:image/png;base64,iVBORw0KGgo=" }],
      },
    })
    expect(only(item("web_search_call", { status: "failed" }))).toMatchObject({ state: { status: "error" } })
    const found = item("tool_search_output", { call_id: "t", tools: [{ name: "docs" }] })
    expect(
      only(item("tool_search_call", { call_id: "t", arguments: { query: "docs" } }), found),
    ).toMatchObject({
      tool: "tool_search",
      state: { input: { query: "docs" }, output: '[{"name":"docs"}]' },
    })
    const shell = item("local_shell_call", { id: "l", action: { type: "exec", command: ["ls"] } })
    expect(only(shell, output("l"))).toMatchObject({
      tool: "local_shell",
      state: { input: { command: ["ls"] }, output: "out of l" },
    })
  })

  test("give pictures, and pieces of text", () => {
    const pieces = [
      { type: "input_text", text: "a" },
      { type: "input_image", image_url: "data:image/jpeg;base64,/9j/4A==" },
      { type: "encrypted_content", encrypted_content: "hidden" },
    ]
    const part = only(call("v"), output("v", pieces))
    expect(part).toMatchObject({
      state: { output: "a", attachments: [{ type: "file", mime: "image/jpeg" }] },
    })
    expect(JSON.stringify(part)).not.toContain("hidden")
  })

  test("without a result were aborted, unless it is the last thing done", () => {
    const last = partsOf(sessionsOf([meta(), said("go"), call("a")])[0]).at(-1)
    expect(last).toMatchObject({ state: { status: "running" } })
    expect(only(call("a"))).toMatchObject({ state: { status: "error", error: "Tool execution aborted" } })
    expect(only(call("a"), output("a", "aborted by user after 3.0s"))).toMatchObject({
      state: { status: "error" },
    })
  })

  test("whose calls were lost are still shown; a call of the same id later has its own output", () => {
    expect(only(output("lost"))).toMatchObject({
      tool: "unknown",
      callID: "lost",
      state: { output: "out of lost" },
    })
    const twice = sessionsOf([
      meta(),
      said("1"),
      call("a"),
      output("a", "x"),
      said("2"),
      call("a"),
      output("a", "y"),
    ])[0]
    expect(told(twice)).toEqual(["> 1", "< shell a completed x", "> 2", "< shell a completed y"])
  })
})

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
    const [session] = sessionsOf([meta(), said("go"), ...calls, ...outputs, ...outputs])
    expect(session?.messages.length).toBe(2)
    expect(
      partsOf(session)
        .slice(1)
        .every(({ state }, at) => fieldsOf(state).output === `${at}`),
    ).toBe(true)
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
