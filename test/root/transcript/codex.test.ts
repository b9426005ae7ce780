import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { JsonObject } from "../../../src/record/extract.ts"
import { Copies, outputOf } from "../../../src/repository/copies.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import {
  answer,
  event,
  HOME,
  item,
  meta,
  named,
  partsOf,
  rollouts,
  SESSION,
  SIDES,
  said,
  sessionsOf,
  told,
} from "./codex-transcripts.ts"
import { type PlainSession, plainSessions } from "./plain-parse.ts"
import { rendered } from "./rendered.ts"

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

  test("looks where CODEX_HOME points, as Codex does, else in the home", () => {
    expect(codex.places({ CODEX_HOME: "/data/codex" }, "/home/dev")).toEqual(["/data/codex"])
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
