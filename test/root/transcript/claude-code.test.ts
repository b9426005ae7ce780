import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import { Copies } from "../../../src/repository/copies.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import {
  assistant,
  call,
  fixtures,
  HOME,
  line,
  linesOf,
  MAIN,
  result,
  SESSION,
  SIDES,
  sessionsOf,
  text,
  user,
} from "./claude-code-transcripts.ts"
import { foldOf, ownId, type PlainSession, plainSessions } from "./plain-parse.ts"
import { rendered } from "./rendered.ts"

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

test("of several results of one call the last counts", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "look at both"),
      assistant("a1", "u1", "m1", call("t2")),
      assistant("a2", "a1", "m1", call("t1")),
      result("r1", "a2", "t1", "t2"),
      user("r2", "a1", [{ type: "tool_result", tool_use_id: "t2", content: "again" }]),
    ]),
  )
  expect(told(session)).toEqual(["> look at both", "< t2 completed again | t1 completed result of t1"])
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
    sessions.map(({ info }) => [info.id, info.parentID, info.title, fieldsOf(info.metadata).after]),
  ).toEqual([
    [SESSION, undefined, "one", undefined],
    [`${SESSION}-branch-u2`, SESSION, "two (rewind)", "m1"],
    [`${SESSION}-branch-u3`, SESSION, "three, which is left (rewind)", "m2"],
  ])
})

test("what was left behind one of several calls begins with its own line", () => {
  const sessions = sessionsOf([
    user("u1", null, "both"),
    assistant("a1", "u1", "m1", call("t1")),
    assistant("a2", "a1", "m1", call("t2")),
    result("r2", "a2", "t2"),
    user("u2", "r2", "stop"),
    result("r1", "a1", "t1"),
    user("u3", "r1", "go on"),
  ])
  expect(sessions.map(told)).toEqual([
    ["> both", "< t1 completed result of t1 | t2 completed result of t2", "> go on"],
    ["> stop"],
  ])
  const { created } = fieldsOf(sessions[1]?.messages[0]?.info.time)
  expect(sessions[1]?.info.time).toEqual({ created, updated: created })
  expect(sessions[1]?.info).toMatchObject({
    id: `${SESSION}-branch-u2`,
    metadata: { branch: "rewind", after: "m1" },
  })
})

test("going back to the beginning leaves all that was said before as a branch", () => {
  const sessions = sessionsOf([
    user("u1", null, "first try"),
    assistant("a1", "u1", "m1", text("answer")),
    user("u2", null, "second try"),
  ])
  expect(sessions.map(told)).toEqual([["> second try"], ["> first try", "< answer"]])
  expect(sessions.map(({ info }) => info.title)).toEqual(["second try", "first try (rewind)"])
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

test("messages that a compaction kept may be written only after its summary", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "one"),
      assistant("a1", "u1", "m1", text("answer one")),
      // It tells what comes after it, so the parents alone would be a circle.
      line("c1", null, {
        type: "system",
        subtype: "compact_boundary",
        logicalParentUuid: "a2",
        compactMetadata: { preservedSegment: { headUuid: "a2", anchorUuid: "s1", tailUuid: "a2" } },
      }),
      user("s1", "c1", "a summary", { isCompactSummary: true }),
      assistant("a2", "s1", "m2", text("kept")),
      user("u2", "a2", "two"),
    ]),
  )
  expect(told(session)).toEqual(["> one", "< answer one", "> compaction", "< a summary", "< kept", "> two"])
})

test("what has no parent follows what was there, unless the person begins anew", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "one"),
      assistant("a1", null, "m1", text("answer one")),
      user("u2", "u2", "its own parent"),
      user("w1", null, "<command-name>/cost</command-name>"),
      user("s1", null, "summed up", { isCompactSummary: true }),
      // A line that comes again stays where it was.
      user("a1", null, "ignored"),
      assistant("a1", "s1", "m1", text("answer one")),
      user("s1", "u1", "summed up", { isCompactSummary: true }),
    ]),
  )
  expect(told(session)).toEqual([
    "> one",
    "< answer one",
    "> its own parent",
    "> ~<command-name>/cost</command-name>",
    "< summed up",
  ])
})

test("the work tree is the one that the folder is called after, though the agent went elsewhere", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "one", { cwd: "/home/dev/other" }),
      assistant("a1", "u1", "m1", text("two"), { cwd: "/home/dev/app" }),
      assistant("a2", "a1", "m2", text("three"), { cwd: "/home/dev/app/src" }),
    ]),
  )
  expect(session.info.directory).toBe("/home/dev/app")
  expect(session.messages.map(({ info }) => info.path)).toEqual([
    undefined,
    { cwd: "/home/dev/app", root: "/home/dev/app" },
    { cwd: "/home/dev/app/src", root: "/home/dev/app" },
  ])
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
    ...Array.from({ length: 100 }, (_, at) => progress(`later${at}`, "a2", "small")),
    large,
    user("u3", "p200", "two again"),
  ]
  const sessions = sessionsOf(lines)
  expect(sessions.map(told)).toEqual([
    ["> one", "< answer one", "> two again"],
    ["> two", "< answer two"],
  ])
  for (const stops of [0, 1]) {
    const state = foldOf(claudeCode, MAIN, linesOf(lines), stops).state()
    expect(fieldsOf(state).nodes).toHaveLength(6 + 1 + 64)
  }
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
  expect(claudeCode.isBookkeeping?.(bytes(large))).toBe(true)
  expect(claudeCode.isBookkeeping?.(bytes(progress("p", "a1", "small")))).toBe(false)
  expect(claudeCode.isBookkeeping?.(bytes({ type: "file-history-snapshot", snapshot: {} }))).toBe(true)
  const ended = Buffer.concat([bytes({ type: "mode", mode: "normal" }), Buffer.from(" x")])
  expect(claudeCode.isBookkeeping?.(ended)).toBe(false)
  const inner = { type: "progress", output: "x".repeat(3000) }
  expect(claudeCode.isBookkeeping?.(bytes({ parentUuid: "a1", toolUseResult: inner, type: "user" }))).toBe(
    false,
  )
  expect(claudeCode.isBookkeeping?.(bytes(user("u", "a1", '"type":"progress"'.repeat(200))))).toBe(false)
})

test("subagents' lines among their parent's are child sessions, found by what they were asked", () => {
  const task = (id: string, prompt: string) =>
    call(id, { prompt, description: `do ${id}`, subagent_type: "Explore" }, "Task")
  const side = { isSidechain: true }
  const sessions = sessionsOf([
    user("u1", null, "delegate twice"),
    assistant("a1", "u1", "m1", task("t1", "the first thing")),
    assistant("a2", "a1", "m1", task("t2", "the second thing")),
    // They run at once, and the second begins first.
    user("s21", null, "the second thing", side),
    user("s11", null, "the first thing", side),
    assistant("s12", "s11", "m11", call("t11"), side),
    assistant("s22", "s21", "m21", text("second report"), side),
    user("s13", "s12", [{ type: "tool_result", tool_use_id: "t11", content: "ok" }], side),
    assistant("s14", "s13", "m12", text("first report"), side),
    result("r2", "a2", "t2"),
    result("r1", "a1", "t1"),
    assistant("a3", "r1", "m2", text("both done")),
    // One that nothing tells who began it.
    user("s31", null, "a third thing", { ...side, agentId: "abc" }),
  ])
  expect(sessions.map(told)).toEqual([
    ["> delegate twice", "< t1 completed result of t1 | t2 completed result of t2", "< both done"],
    ["> the second thing", "< second report"],
    ["> the first thing", "< t11 completed ok", "< first report"],
    ["> a third thing"],
  ])
  expect(sessions.map(({ info }) => [info.id, info.parentID, info.title, info.metadata])).toEqual([
    [SESSION, undefined, "delegate twice", { gitBranch: "main" }],
    ...["2", "1"].map((n) => [
      `${SESSION}-agent-s${n}1`,
      SESSION,
      `do t${n}`,
      { gitBranch: "main", subagent: { description: `do t${n}`, toolUseId: `t${n}` } },
    ]),
    [`${SESSION}-agent-abc`, SESSION, "a third thing", { gitBranch: "main", subagent: {} }],
  ])
  const parts = sessions[0]?.messages[1]?.parts ?? []
  expect(parts.map(({ state }) => fieldsOf(fieldsOf(state).metadata).sessionId)).toEqual([
    `${SESSION}-agent-s11`,
    `${SESSION}-agent-s21`,
  ])
})

test("subagents that were asked the same are told apart by their order, and none is its own parent's parent", () => {
  const task = (id: string, prompt: string) => call(id, { prompt, description: `do ${id}` }, "Task")
  const side = { isSidechain: true }
  const parents = (values: JsonObject[]) => sessionsOf(values).map(({ info }) => [info.title, info.parentID])
  expect(
    parents([
      user("u1", null, "twice"),
      assistant("a1", "u1", "m1", task("t1", "same")),
      assistant("a2", "a1", "m1", task("t2", "same")),
      user("s1", null, "same", side),
      user("s2", null, "same", side),
      assistant("a3", "a2", "m2", task("t1", "same")),
      user("s3", null, "same", side),
    ]).slice(1),
  ).toEqual([
    ["do t1", SESSION],
    ["do t2", SESSION],
    ["same", SESSION],
  ])
  expect(
    parents([
      user("s1", null, "first", side),
      assistant("s2", "s1", "m1", task("t1", "second"), side),
      user("s3", null, "second", side),
      assistant("s4", "s3", "m2", task("t2", "first"), side),
    ]),
  ).toEqual([
    ["Untitled", undefined],
    ["first", SESSION],
    ["do t1", `${SESSION}-agent-s1`],
  ])
})

test("a subagent in a file of its own is the child of the session that its place or its lines tell", () => {
  const beside = claudeCode.container("projects/-home-dev-app/agent-7.jsonl") ?? MAIN
  const lines = [user("u1", null, "look around", { isSidechain: true, agentId: "7" })]
  expect(only(sessionsOf(lines, beside)).info).toMatchObject({
    id: "agent-7",
    parentID: SESSION,
    title: "look around",
  })
  expect(
    only(sessionsOf([user("u1", null, "alone", { sessionId: "agent-7" })], beside)).info.parentID,
  ).toBeUndefined()
  const below = claudeCode.container("projects/-home-dev-app/11/subagents/agent-7.jsonl") ?? MAIN
  const at = (meta: string) =>
    only(
      plainSessions(claudeCode, below, linesOf(lines), {
        sides: { text: (path) => (path === `${below.name}.meta.json` ? meta : undefined) },
      }),
    ).info
  expect(at('{"description":"look","agentType":"Explore"}')).toMatchObject({
    id: "agent-7",
    parentID: "11",
    title: "look",
    metadata: { subagent: { agentType: "Explore" } },
  })
  expect(at('{"description":')).toMatchObject({ id: "agent-7", parentID: "11", title: "look around" })
})

test("wrappers are no words of the person's, and are no title", () => {
  const session = only(
    sessionsOf([
      user("u1", null, "<local-command-caveat>Caveat: …</local-command-caveat>", { isMeta: true }),
      user(
        "u2",
        "u1",
        "<command-name>/model</command-name>\n<command-message>model</command-message>\n<command-args></command-args>",
      ),
      user("u3", "u2", "<local-command-stdout>Set model to opus</local-command-stdout>"),
      user("u4", "u3", [
        text("<ide_opened_file>The user opened a.ts</ide_opened_file>"),
        text("<system-reminder>be nice</system-reminder>\nRename it\n  everywhere"),
      ]),
      assistant("a1", "u4", "m1", text("<command-name> is what the model says")),
      user("u5", "a1", "[Request interrupted by user]"),
      user("u6", "u5", "Stop hook feedback: not yet", { isMeta: true }),
      user("u7", "u6", "<task-notification>\n<task-id>b1</task-id></task-notification>"),
      user("u8", "u7", "<bash-input>ls</bash-input>"),
      user("u9", "u8", "<div> is what I typed"),
      line("q1", "u9", {
        type: "attachment",
        attachment: { type: "queued_command", prompt: "and this meanwhile", commandMode: "prompt" },
      }),
      line("l1", "q1", {
        type: "system",
        subtype: "local_command",
        content: "<local-command-stdout>Total cost: 1</local-command-stdout>",
      }),
      line("l2", "l1", { type: "system", subtype: "turn_duration", durationMs: 5 }),
    ]),
  )
  expect(told(session)).toEqual([
    "> ~<local-command-caveat>Caveat: …</local-command-caveat>",
    "> ~<command-name>/model</command-name>\n<command-message>model</command-message>\n<command-args></command-args>",
    "> ~<local-command-stdout>Set model to opus</local-command-stdout>",
    "> ~<ide_opened_file>The user opened a.ts</ide_opened_file> | ~<system-reminder>be nice</system-reminder> | Rename it\n  everywhere",
    "< <command-name> is what the model says",
    "> ~[Request interrupted by user]",
    "> ~Stop hook feedback: not yet",
    "> ~<task-notification>\n<task-id>b1</task-id></task-notification>",
    "> ~<bash-input>ls</bash-input>",
    "> <div> is what I typed",
    "> and this meanwhile",
    "> ~<local-command-stdout>Total cost: 1</local-command-stdout>",
  ])
  expect(session.info.title).toBe("Rename it everywhere")
  const command = "<command-name>/review</command-name><command-args>the last commit</command-args>"
  expect(only(sessionsOf([user("u1", null, command)])).info.title).toBe("/review the last commit")
  const bare = "<command-message>init is analyzing</command-message>\n<command-name>/init</command-name>"
  expect(only(sessionsOf([user("u1", null, bare)])).info.title).toBe("/init")
})

test("titles: the person's, then a model's, then a summary of a line that is there, then the first words", () => {
  const lines = [user("u1", null, "first words"), assistant("a1", "u1", "m1", text("answer"))]
  const title = (...more: JsonObject[]) => only(sessionsOf([...more, ...lines])).info.title
  const elsewhere = { type: "summary", summary: "Of another file", leafUuid: "none-of-ours" }
  const summary = { type: "summary", summary: "A summary", leafUuid: "a1" }
  const made = { type: "ai-title", aiTitle: "Made by a model", sessionId: SESSION }
  const given = { type: "custom-title", customTitle: "Given", sessionId: SESSION }
  expect(title()).toBe("first words")
  expect(title(elsewhere)).toBe("first words")
  expect(title(summary, elsewhere)).toBe("A summary")
  const left = { type: "summary", summary: "Of what was left", leafUuid: "a0" }
  const before = [user("u0", null, "left"), assistant("a0", "u0", "m0", text("too"))]
  expect(title(left)).toBe("first words")
  const [shown] = sessionsOf([summary, left, ...before, ...lines])
  expect(shown?.info.title).toBe("A summary")
  expect(sessionsOf([left, ...before, ...lines])[0]?.info.title).toBe("Of what was left")
  expect(title(user("u0", null, "Continue from where you left off.", { isMeta: true }))).toBe("first words")
  expect(title(made, summary)).toBe("Made by a model")
  expect(title(given, made)).toBe("Given")
  expect(title(given, { ...given, customTitle: "Given later" })).toBe("Given later")
  expect(title(given, { ...given, customTitle: "" }, made)).toBe("Made by a model")
})

test("a file with no messages is no session", () => {
  expect(sessionsOf(["a line", null, 1, [], {}, { type: "mode", mode: "normal" }])).toEqual([])
  expect(sessionsOf([{ type: "custom-title", customTitle: "A name" }, user("u1", null, [])])).toEqual([])
})

test("images and documents are files, also those that came with a tool's result", () => {
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }
  const document = {
    type: "document",
    title: "a.pdf",
    source: { type: "base64", media_type: "application/pdf", data: "BBBB" },
  }
  const session = only(
    sessionsOf([
      user("u1", null, [
        "look",
        image,
        document,
        { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
      ]),
      assistant("a1", "u1", "m1", call("t1", { file_path: "/home/dev/app/a.png" }, "Read")),
      user("r1", "a1", [{ type: "tool_result", tool_use_id: "t1", content: [text("an image"), image] }], {
        toolUseResult: { type: "image", file: { base64: "AAAA", type: "image/png", originalSize: 3 } },
      }),
    ]),
  )
  expect(session.messages[0]?.parts).toMatchObject([
    { type: "text", text: "look" },
    { type: "file", mime: "image/png", url: "data:image/png;base64,AAAA" },
    { type: "file", mime: "application/pdf", url: "data:application/pdf;base64,BBBB", filename: "a.pdf" },
    { type: "file", url: "https://example.com/a.png" },
  ])
  expect(session.messages[1]?.parts[0]?.state).toMatchObject({
    status: "completed",
    output: "an image",
    title: "/home/dev/app/a.png",
    metadata: { type: "image", file: { type: "image/png", originalSize: 3 } },
    attachments: [{ type: "file", mime: "image/png", url: "data:image/png;base64,AAAA" }],
  })
  expect(JSON.stringify(session.messages[1]).match(/AAAA/g)).toHaveLength(1)
})

test("an edit tells what it changed as a patch", () => {
  const input = { file_path: "/a.ts", old_string: "one", new_string: "two" }
  const session = only(
    sessionsOf([
      user("u1", null, "change it"),
      assistant("a1", "u1", "m1", call("t1", input, "Edit")),
      user("r1", "a1", [{ type: "tool_result", tool_use_id: "t1", content: "changed" }], {
        toolUseResult: {
          filePath: "/a.ts",
          oldString: "one",
          newString: "two",
          structuredPatch: [{ oldStart: 3, oldLines: 1, newStart: 3, newLines: 1, lines: ["-one", "+two"] }],
        },
      }),
    ]),
  )
  const { metadata } = fieldsOf(session.messages[1]?.parts[0]?.state)
  expect(fieldsOf(metadata).diff).toBe("--- /a.ts\n+++ /a.ts\n@@ -3,1 +3,1 @@\n-one\n+two\n")
  expect(fieldsOf(metadata).newString).toBeUndefined()
})

test("a call without a result was aborted, unless nothing came after it", () => {
  const lines = [
    user("u1", null, "run it"),
    assistant("a1", "u1", "m1", call("t1")),
    assistant("a2", "a1", "m1", call("t2")),
  ]
  const states = (...more: JsonObject[]) =>
    only(sessionsOf([...lines, ...more])).messages[1]?.parts.map(({ state }) => fieldsOf(state).status)
  expect(states()).toEqual(["running", "running"])
  expect(states(result("r1", "a1", "t1"))).toEqual(["completed", "running"])
  expect(states(result("r1", "a1", "t1"), user("u2", "r1", "go on"))).toEqual(["completed", "error"])
  expect(states({ type: "last-prompt", lastPrompt: "run it", leafUuid: "a2" })).toEqual(["error", "error"])
})

test("nothing that is signed or encrypted is told, and what the provider's own tools found is", () => {
  const found = {
    type: "web_search_result",
    title: "A page",
    url: "https://example.com",
    encrypted_content: "SECRET",
  }
  const session = only(
    sessionsOf([
      user("u1", null, "search"),
      assistant("a1", "u1", "m1", { type: "thinking", thinking: "hm", signature: "SECRET" }),
      assistant("a2", "a1", "m1", { type: "thinking", thinking: "", signature: "SECRET" }),
      assistant("a3", "a2", "m1", { type: "redacted_thinking", data: "SECRET" }),
      assistant("a4", "a3", "m1", {
        type: "server_tool_use",
        id: "srv1",
        name: "web_search",
        input: { query: "q" },
      }),
      assistant("a5", "a4", "m1", { type: "web_search_tool_result", tool_use_id: "srv1", content: [found] }),
      assistant("a6", "a5", "m1", { type: "new_block", note: "kept", signature: "SECRET" }),
    ]),
  )
  expect(JSON.stringify(session)).not.toContain("SECRET")
  expect(told(session)).toEqual([
    "> search",
    "< reasoning | srv1 completed A page\nhttps://example.com | new_block",
  ])
})

test("an error of the service is an answer of no model", () => {
  const message = {
    id: "made-up",
    model: "<synthetic>",
    content: [text("API Error: 529")],
    usage: { input_tokens: 0, output_tokens: 0 },
  }
  const session = only(
    sessionsOf([
      user("u1", null, "hello"),
      assistant("a1", "u1", "x", text(""), { message, isApiErrorMessage: true, error: "overloaded" }),
    ]),
  )
  const info = session.messages[1]?.info
  expect(info).toMatchObject({
    error: { name: "APIError", data: { message: "API Error: 529" } },
    metadata: { error: "overloaded" },
  })
  expect([info?.modelID, info?.tokens]).toEqual([undefined, undefined])
})

test("the largest usage of an answer's lines counts, whichever it is", () => {
  const usage = (output_tokens: number) => ({
    input_tokens: 10,
    output_tokens,
    cache_creation: { ephemeral_1h_input_tokens: 7 },
  })
  const part = (uuid: string, parent: string, output: number) => {
    const message = { id: "m1", model: "claude-sonnet-4-5", content: [text(uuid)], usage: usage(output) }
    return assistant(uuid, parent, "m1", text(""), { message })
  }
  const lines = [user("u1", null, "hello"), part("a1", "u1", 1), part("a2", "a1", 80), part("a3", "a2", 3)]
  const session = only(sessionsOf([...lines, ...lines]))
  expect(told(session)).toEqual(["> hello", "< a1 | a2 | a3"])
  const info = session.messages[1]?.info
  expect(info?.tokens).toMatchObject({ input: 10, output: 80, reasoning: 0 })
  expect(info?.metadata).toMatchObject({ usage: { cache_creation: { ephemeral_1h_input_tokens: 7 } } })
})

test("a call that is repeated beside other blocks is told once, and empty texts not at all", () => {
  const twice = (uuid: string, parent: string) =>
    assistant(uuid, parent, "m1", null, {
      message: { id: "m1", model: "m", content: [text(uuid), text(""), call("t1"), call("t1")] },
    })
  const session = only(
    sessionsOf([
      user("u1", null, [text("go"), text("")]),
      twice("a1", "u1"),
      twice("a2", "a1"),
      result("r1", "a1", "t1"),
      user("u2", "r1", [text("")]),
      user("u3", "u2", "   "),
    ]),
  )
  expect(told(session)).toEqual(["> go", "< a1 | t1 completed result of t1 | a2", ">    "])
})

test("one id for the answers to several requests is as many answers", () => {
  const same = (uuid: string, parent: string, id: string, requestId: string | undefined) =>
    assistant(uuid, parent, id, text(uuid), { requestId })
  const session = only(
    sessionsOf([
      user("u1", null, "one"),
      same("a1", "u1", "always-the-same", "r1"),
      same("a2", "a1", "always-the-same", undefined),
      user("u2", "a2", "two"),
      same("a3", "u2", "always-the-same", "r2"),
      same("a4", "a3", "always-the-same", "r1"),
      user("u3", "a4", "three"),
      same("b1", "u3", "named-later", undefined),
      same("b2", "b1", "named-later", "r3"),
      same("b3", "b2", "named-later", "r4"),
    ]),
  )
  expect(told(session)).toEqual(["> one", "< a1 | a2 | a4", "> two", "< a3", "> three", "< b1 | b2", "< b3"])
  const ids = session.messages.map(({ info }) => ownId(info))
  expect(ids.slice(0, 4)).toEqual(["u1", "always-the-same", "u2", "always-the-same_1"])
  expect(ids.slice(4)).toEqual(["u3", "named-later", "named-later_1"])
})

test("copies of answers in other files are told as such, also one that was cut short", () => {
  const answers = fixtures()
    .filter(({ name }) => name.parent === undefined)
    .map(({ name, lines }) => {
      // The fork has only the beginning of an answer that its source has whole.
      const isFork = name.session?.startsWith("c4a65567")
      const kept = isFork
        ? lines.filter(({ value }) => fieldsOf(value).uuid !== "bad7c83c-fe36-4e2e-bd85-de79076df4a6")
        : lines
      return plainSessions(claudeCode, name, kept).flatMap(({ messages }) => messages.map(({ info }) => info))
    })
  const copies = new Copies()
  const told = answers.map((infos) => {
    copies.nextSession()
    return infos.filter((info) => copies.earlier(info) !== undefined).length
  })
  expect(told).toEqual([0, 5, 0])
  expect(answers.map((infos) => infos.filter(({ role }) => role === "assistant").length)).toEqual([5, 7, 2])
})
