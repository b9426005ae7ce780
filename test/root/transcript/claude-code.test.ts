import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { fixtures, HOME, linesOf, MAIN, rendered, SIDES, sessionsOf } from "./claude-code-transcripts.ts"
import { foldOf, type PlainSession, plainSessions } from "./plain-parse.ts"

const SESSION = MAIN.session ?? ""

let clock = 0

/** A line of a conversation, a second after the one before it. */
function line(uuid: string, parentUuid: string | null, fields: JsonObject): JsonObject {
  clock += 1000
  const timestamp = new Date(Date.UTC(2026, 10, 1) + clock).toISOString()
  const common = {
    isSidechain: false,
    cwd: "/home/dev/app",
    sessionId: SESSION,
    version: "2.1.197",
    gitBranch: "main",
  }
  return { parentUuid, ...common, uuid, timestamp, ...fields }
}

function user(uuid: string, parent: string | null, content: unknown, fields: JsonObject = {}): JsonObject {
  return line(uuid, parent, { type: "user", message: { role: "user", content }, ...fields })
}

function assistant(
  uuid: string,
  parent: string | null,
  id: string,
  block: unknown,
  fields: JsonObject = {},
): JsonObject {
  const usage = {
    input_tokens: 10,
    output_tokens: 5,
    cache_read_input_tokens: 3,
    cache_creation_input_tokens: 2,
  }
  const message = {
    id,
    role: "assistant",
    model: "claude-sonnet-4-5",
    content: [block],
    usage,
    stop_reason: null,
  }
  return line(uuid, parent, { type: "assistant", message, requestId: `req_${id}`, ...fields })
}

function text(said: string): JsonObject {
  return { type: "text", text: said }
}

function call(id: string, input: JsonObject = { command: id }, name = "Bash"): JsonObject {
  return { type: "tool_use", id, name, input }
}

function result(uuid: string, parent: string, ...calls: string[]): JsonObject {
  const content = calls.map((id) => ({ type: "tool_result", tool_use_id: id, content: `result of ${id}` }))
  return user(uuid, parent, content, { sourceToolAssistantUUID: parent })
}

/** What was said, a line a message: its texts, and its calls with their results. */
function told({ messages }: PlainSession): string[] {
  return messages.map(({ info, parts }) => {
    const said = parts.map((part) => {
      const { status, output, error } = fieldsOf(part.state)
      if (part.type === "tool") return `${part.callID} ${status} ${error ?? output}`
      return part.type === "text" ? `${part.synthetic ? "~" : ""}${part.text}` : String(part.type)
    })
    return `${info.role === "user" ? ">" : "<"} ${said.join(" | ")}`
  })
}

function only(sessions: readonly PlainSession[]): PlainSession {
  expect(sessions).toHaveLength(1)
  const [session] = sessions
  if (!session) throw new Error("There is no session")
  return session
}

test("transcripts of 2.1.197 read as what the client was told and printed", () => {
  const sessions = fixtures().flatMap(({ name, lines }) =>
    plainSessions(claudeCode, name, lines, { sides: SIDES }),
  )
  expect(sessions.map(rendered).join("\n\n")).toBe(readFileSync(join(HOME, "golden.txt"), "utf8").trimEnd())
})

test("a fold that is stopped after every line says the same", () => {
  for (const { name, lines } of fixtures())
    expect(plainSessions(claudeCode, name, lines, { sides: SIDES, stops: 1 })).toEqual(
      plainSessions(claudeCode, name, lines, { sides: SIDES }),
    )
})

test("files are told by their paths", () => {
  const at = (path: string) => {
    const found = claudeCode.container(path)
    return found && [found.session, found.parent]
  }
  expect(at("projects/-home-dev-app/11.jsonl")).toEqual(["11", undefined])
  expect(at("projects/-home-dev-app/agent-7.jsonl")).toEqual(["agent-7", undefined])
  expect(at("projects/-home-dev-app/11/subagents/agent-7.jsonl")).toEqual(["agent-7", "11"])
  expect(at("projects/-home-dev-app/11/subagents/workflows/w/agent-7.jsonl")).toEqual(["agent-7", "11"])
  for (const other of [
    "history.jsonl",
    "projects/11.jsonl",
    "projects/-home-dev-app/sessions-index.json",
    "projects/-home-dev-app/11/tool-results/7.txt",
    "projects/-home-dev-app/11/subagents/agent-7.meta.json",
  ])
    expect(at(other)).toBeUndefined()
  expect(claudeCode.places({ CLAUDE_CONFIG_DIR: "/elsewhere" }, "/home/dev")).toEqual(["/elsewhere"])
  expect(claudeCode.places({}, "/home/dev")[0]).toBe("/home/dev/.claude")
})

test("parallel calls that were answered out of order are one message with all results", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "look at both"),
      assistant("a1", "u1", "m1", text("I look.")),
      assistant("a2", "a1", "m1", call("t1")),
      assistant("a3", "a2", "m1", call("t2")),
      assistant("a4", "a3", "m1", call("t3")),
      // Each result goes on from the line of its call; the conversation goes on from the one that came last.
      result("r3", "a4", "t3"),
      result("r1", "a2", "t1"),
      result("r2", "a3", "t2"),
      assistant("b1", "r2", "m2", text("Done.")),
    ]),
  )
  expect(told(session)).toEqual([
    "> look at both",
    "< I look. | t1 completed result of t1 | t2 completed result of t2 | t3 completed result of t3",
    "< Done.",
  ])
  expect(fieldsOf(session.messages[1]?.info.tokens)).toEqual({
    input: 10,
    output: 5,
    reasoning: 0,
    cache: { read: 3, write: 2 },
  })
})

test("going back leaves branches, each a child session that holds what is its own", () => {
  const sessions = sessionsOf([
    user("u1", null, "one"),
    assistant("a1", "u1", "m1", text("answer one")),
    user("u2", "a1", "two"),
    assistant("a2", "u2", "m2", text("answer two")),
    user("u3", "a2", "three, which is left"),
    assistant("a3", "u3", "m3", text("answer three")),
    user("u4", "a2", "four"),
    assistant("a4", "u4", "m4", text("answer four")),
    user("u5", "a1", "five"),
    assistant("a5", "u5", "m5", text("answer five")),
  ])
  expect(sessions.map(told)).toEqual([
    ["> one", "< answer one", "> five", "< answer five"],
    ["> two", "< answer two", "> four", "< answer four"],
    ["> three, which is left", "< answer three"],
  ])
  expect(
    sessions.map(({ info }) => [info.id, info.parentID, info.title, fieldsOf(info.metadata).branch]),
  ).toEqual([
    [SESSION, undefined, "one", undefined],
    [`${SESSION}-branch-u2`, SESSION, "two", { after: "m1" }],
    [`${SESSION}-branch-u3`, SESSION, "three, which is left", { after: "m2" }],
  ])
})

test("going back to the beginning leaves all that was said before as a branch", () => {
  const sessions = sessionsOf([
    user("u1", null, "first try"),
    assistant("a1", "u1", "m1", text("answer")),
    user("u2", null, "second try"),
  ])
  expect(sessions.map(told)).toEqual([["> second try"], ["> first try", "< answer"]])
  expect(sessions.map(({ info }) => info.title)).toEqual(["second try", "first try"])
})

test("what was gone back to is shown before anything is said there", () => {
  const lines = [
    user("u1", null, "one"),
    assistant("a1", "u1", "m1", text("answer one")),
    user("u2", "a1", "two"),
    assistant("a2", "u2", "m2", text("answer two")),
  ]
  const back = { type: "last-prompt", leafUuid: "a1", explicit: true, sessionId: SESSION }
  expect(sessionsOf([...lines, back]).map(told)).toEqual([
    ["> one", "< answer one"],
    ["> two", "< answer two"],
  ])
  expect(sessionsOf([...lines, { ...back, explicit: undefined }]).map(told)).toHaveLength(1)
  expect(sessionsOf([...lines, back, user("u3", "a2", "three")]).map(told)).toHaveLength(1)
})

test("a compaction is shown as such, with its summary and all that was before it", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "a long task"),
      assistant("a1", "u1", "m1", text("working")),
      line("c1", null, {
        type: "system",
        subtype: "compact_boundary",
        content: "Conversation compacted",
        logicalParentUuid: "a1",
        compactMetadata: { trigger: "auto", preTokens: 155000 },
      }),
      user("s1", "c1", "This session is being continued from a previous conversation.", {
        isCompactSummary: true,
        isVisibleInTranscriptOnly: true,
      }),
      user(
        "w1",
        "s1",
        "Caveat: The messages below were generated by the user while running local commands.",
        {
          isMeta: true,
        },
      ),
      user("w2", "w1", "<command-name>/compact</command-name>\n<command-args></command-args>"),
      user("w3", "w2", "<local-command-stdout>Compacted</local-command-stdout>"),
      user("w4", "w3", "Continue from where you left off.", { isMeta: true }),
      assistant("n1", "w4", "5e0ff2b8-7cf1-4a53-8d7c-0c6f0c0a8a0e", text("No response requested."), {
        requestId: undefined,
        message: {
          id: "5e0ff2b8-7cf1-4a53-8d7c-0c6f0c0a8a0e",
          model: "<synthetic>",
          content: [text("No response requested.")],
          usage: { input_tokens: 0, output_tokens: 0 },
        },
      }),
      user("u2", "n1", "go on"),
      assistant("a2", "u2", "m2", text("done")),
    ]),
  )
  expect(told(session)).toEqual([
    "> a long task",
    "< working",
    "> compaction",
    "< This session is being continued from a previous conversation.",
    "> ~Caveat: The messages below were generated by the user while running local commands.",
    "> ~<command-name>/compact</command-name>\n<command-args></command-args>",
    "> ~<local-command-stdout>Compacted</local-command-stdout>",
    "> ~Continue from where you left off.",
    "< ~No response requested.",
    "> go on",
    "< done",
  ])
  expect(session.info.title).toBe("a long task")
  const [compaction, summary] = session.messages.slice(2)
  expect(compaction?.parts[0]).toMatchObject({ type: "compaction", auto: true })
  expect(compaction?.info.metadata).toEqual({ compactMetadata: { trigger: "auto", preTokens: 155000 } })
  expect(summary?.info).toMatchObject({ role: "assistant", summary: true })
  const none = session.messages[8]?.info
  expect([none?.modelID, none?.providerID, none?.tokens]).toEqual([undefined, undefined, undefined])
})

test("messages that a compaction kept stay where they were, and what follows comes after its summary", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "one"),
      assistant("a1", "u1", "m1", text("answer one")),
      user("u2", "a1", "two"),
      assistant("a2", "u2", "m2", text("answer two")),
      line("c1", null, {
        type: "system",
        subtype: "compact_boundary",
        logicalParentUuid: "a2",
        compactMetadata: {
          trigger: "manual",
          preservedSegment: { headUuid: "u2", anchorUuid: "s1", tailUuid: "a2" },
        },
      }),
      user("s1", "c1", "a summary", { isCompactSummary: true }),
      user("u3", "a2", "three"),
    ]),
  )
  expect(told(session)).toEqual([
    "> one",
    "< answer one",
    "> two",
    "< answer two",
    "> compaction",
    "< a summary",
    "> three",
  ])
  expect(session.messages[4]?.parts[0]?.auto).toBe(false)
})

test("a line that cannot be read hides nothing that came before it", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "one"),
      assistant("a1", "u1", "m1", text("answer one")),
      // The line of "lost" was cut off.
      user("u2", "lost", "two"),
      assistant("a2", "u2", "m2", call("t1")),
      result("r1", "a2", "t1", "of-a-lost-call"),
    ]),
  )
  expect(told(session)).toEqual([
    "> one",
    "< answer one",
    "> two",
    "< t1 completed result of t1",
    "> of-a-lost-call completed result of of-a-lost-call",
  ])
})

test("progress and attachments are links only, large progress is passed over unread", () => {
  const progress = (uuid: string, parent: string, data: string) =>
    line(uuid, parent, { type: "progress", data: { type: "bash_progress", output: data } })
  const many = Array.from({ length: 200 }, (_, at) => progress(`p${at + 1}`, `p${at}`, "small"))
  const large = progress("huge", "a1", "x".repeat(3000))
  const lines = [
    user("u1", null, "one"),
    assistant("a1", "u1", "m1", text("answer one")),
    progress("p0", "a1", "small"),
    ...many,
    user("u2", "p200", "two"),
    line("at1", "u2", { type: "attachment", attachment: { type: "skill_listing", content: "secret list" } }),
    assistant("a2", "at1", "m2", text("answer two")),
    large,
    user("u3", "p200", "two again"),
  ]
  const sessions = sessionsOf(lines)
  expect(sessions.map(told)).toEqual([
    ["> one", "< answer one", "> two again"],
    ["> two", "< answer two"],
  ])
  const state = foldOf(claudeCode, MAIN, linesOf(lines)).state()
  expect(fieldsOf(state).nodes).toHaveLength(6 + 64)
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
  expect(claudeCode.isBookkeeping?.(bytes(large))).toBe(true)
  expect(claudeCode.isBookkeeping?.(bytes(progress("p", "a1", "small")))).toBe(false)
  expect(claudeCode.isBookkeeping?.(bytes({ type: "file-history-snapshot", snapshot: {} }))).toBe(true)
  const inner = { type: "progress", output: "x".repeat(3000) }
  expect(claudeCode.isBookkeeping?.(bytes({ parentUuid: "a1", toolUseResult: inner, type: "user" }))).toBe(
    false,
  )
  expect(claudeCode.isBookkeeping?.(bytes(user("u", "a1", '"type":"progress"'.repeat(200))))).toBe(false)
})
