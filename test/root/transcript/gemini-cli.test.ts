import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fieldsOf, type JsonObject } from "../../../src/record/extract.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import {
  after,
  call,
  FRAME,
  fixtures,
  gemini,
  HEADER,
  HOME,
  linesOf,
  NAME,
  nameOf,
  response,
  SIDES,
  sessionsOf,
  set,
  told,
  user,
} from "./gemini-cli-lines.ts"
import { foldOf, NO_SIDES, ownId, plainSessions } from "./plain-parse.ts"
import { rendered } from "./rendered.ts"

describe("what real releases wrote", () => {
  test.each(fixtures())("%s is read as it was said and printed", (name, lines) => {
    const golden = join(HOME, "golden", `${name.replace(/^tmp\//, "").replaceAll("/", "-")}.txt`)
    const text = `${plainSessions(geminiCli, nameOf(name), lines, { sides: SIDES }).map(rendered).join("\n\n")}\n`
    expect(text).toBe(readFileSync(golden, "utf8"))
  })

  test.each(fixtures())("%s is the same when it was stopped after each line", (name, lines) => {
    const atOnce = foldOf(geminiCli, nameOf(name), lines).outline(SIDES)
    expect(foldOf(geminiCli, nameOf(name), lines, 1).outline(SIDES)).toEqual(atOnce)
  })

  test("nothing is counted twice that was said again by resumes and compactions", () => {
    const lines = fixtures().find(([name]) => name.includes("eba14dc3"))?.[1] ?? []
    const asked = new Set(
      lines.flatMap(({ value }) => {
        const { type, id } = fieldsOf(value)
        return type === "gemini" ? [id] : []
      }),
    )
    const [session] = plainSessions(geminiCli, NAME, lines)
    const counted = session?.messages.filter(({ info }) => info.tokens !== undefined) ?? []
    expect(counted.map(({ info }) => ownId(info))).toEqual([...asked].map(String))
    expect(asked.size).toBe(11)
  })

  test("no signature of a thought is told", () => {
    const [[, lines] = ["", []]] = fixtures().filter(([name]) => name.includes("eba14dc3"))
    expect(JSON.stringify(lines)).toContain("U0VDUkVU")
    expect(JSON.stringify(plainSessions(geminiCli, NAME, lines))).not.toMatch(/U0VDUkVU|thoughtSignature/)
  })
})

describe("where it lies", () => {
  test("in the home, or where GEMINI_CLI_HOME says", () => {
    expect(geminiCli.places({}, "/home/dev")).toEqual(["/home/dev/.gemini"])
    expect(geminiCli.places({ GEMINI_CLI_HOME: "/data" }, "/home/dev")).toEqual(["/data/.gemini"])
  })

  test("the object and the lines of a session are one container, the object first", () => {
    const [object, lines] = ["json", "jsonl"].map((ending) =>
      geminiCli.container(`tmp/app/chats/session-1.${ending}`),
    )
    expect(object).toEqual({ name: "tmp/app/chats/session-1", rank: 0, form: "object", parent: undefined })
    expect(lines).toEqual({ name: "tmp/app/chats/session-1", rank: 1, form: "lines", parent: undefined })
  })

  test("a subagent lies in a folder named after its parent", () => {
    expect(geminiCli.container("tmp/app/chats/parent/child.jsonl")).toEqual({
      name: "tmp/app/chats/parent/child",
      rank: 1,
      form: "lines",
      prefixes: ["child"],
      parent: "parent",
    })
  })

  test.each([
    "tmp/app/chats/session-1.jsonl.unreadable-1795715906540",
    "tmp/app/chats/session-1.jsonl.tmp-12",
    "tmp/app/chats/notes.json",
    "tmp/app/logs.json",
    "tmp/app/logs/session-1.jsonl",
    "tmp/app/chats/a/b/c.jsonl",
    "history/app/chats/session-1.jsonl",
    "projects.json",
  ])("%s is no transcript", (path) => {
    expect(geminiCli.container(path)).toBeUndefined()
  })
})

describe("messages and their order", () => {
  test("a line with an id seen before replaces that message, in its place and with its first time", () => {
    const [session] = sessionsOf([
      HEADER,
      user("u1", "one", 1),
      gemini("g1", "", 2, { tokens: null }),
      user("u2", "two", 3),
      gemini("g1", "better", 50),
    ])
    expect(told(session)).toEqual(["user | one", "assistant | better", "user | two"])
    expect(session?.messages[1]?.info.time).toEqual({
      created: Date.parse(after(2)),
      completed: Date.parse(after(50)),
    })
  })

  test("what a resume writes anew takes nothing away", () => {
    const whole = gemini("g1", "I look.", 2, {
      thoughts: [{ subject: "Plan", description: "to look", timestamp: after(2) }],
      toolCalls: [call("c1", { result: [response("c1", "found")] })],
    })
    const bare = (id: string, type: string, content: unknown) => ({ id, timestamp: after(70), type, content })
    const before = sessionsOf([HEADER, FRAME, user("u1", "look"), whole, gemini("g2", "Done.", 10)])
    const resumed = sessionsOf([
      HEADER,
      FRAME,
      user("u1", "look"),
      whole,
      gemini("g2", "Done.", 10),
      { ...HEADER, startTime: after(69), lastUpdated: after(69) },
      set([FRAME]),
      { $set: { sessionId: HEADER.sessionId } },
      set([
        FRAME,
        bare("u1", "user", [{ text: "look" }]),
        bare("g1", "gemini", [
          { text: "**Plan** to look", thought: true },
          { text: "I look. " },
          { functionCall: { id: "c1", name: "read_file", args: {} } },
        ]),
        bare("g1_response", "user", [response("c1", "found")]),
        bare("g1_response", "user", [response("c1", "found")]),
        bare("g2", "gemini", [{ text: "Done." }]),
      ]),
    ])
    expect(resumed[0]?.messages).toEqual(before[0]?.messages ?? [])
    expect(resumed[0]?.info.time).toEqual({
      created: Date.parse(HEADER.startTime),
      updated: Date.parse(after(70)),
    })
  })

  test("a resume that was killed after its beginning hides nothing", () => {
    const [session] = sessionsOf([
      HEADER,
      set([FRAME]),
      user("u1", "one"),
      gemini("g1", "1"),
      HEADER,
      set([FRAME]),
    ])
    expect(told(session).slice(1)).toEqual(["user | one", "assistant | 1"])
  })

  test("of messages that only lists tell, calls get their results from the messages after them", () => {
    const [session] = sessionsOf([
      HEADER,
      set([
        user("u1", "look"),
        {
          ...gemini("g1", [
            { text: "deep", thought: true },
            { functionCall: { id: "c1", name: "ls", args: { a: 1 } } },
          ]),
        },
        user("r1", [
          response("c1", "found"),
          { inlineData: { mimeType: "image/png", data: "AAAA" } },
          response("c1", "said again"),
        ]),
        user("r2", [response("c1", "found again")]),
      ]),
    ])
    expect(told(session)).toEqual(["user | look", "assistant | deep | ls"])
    expect(session?.messages[1]?.parts[1]).toMatchObject({
      callID: "c1",
      state: {
        status: "completed",
        input: { a: 1 },
        output: "found",
        attachments: [{ type: "file", mime: "image/png", url: "data:image/png;base64,AAAA" }],
      },
    })
  })

  test("a message has no more lines than it needs", () => {
    const spansOf = (toolCalls: readonly JsonObject[], ...answers: readonly JsonObject[][]) => {
      const asked = gemini("g1", "", 2, { toolCalls })
      const lines = linesOf([HEADER, asked, ...answers.map((content, at) => user(`r${at}`, content))])
      return foldOf(geminiCli, NAME, lines)
        .outline(NO_SIDES)[0]
        ?.messages[0]?.spans.map(([, offset]) => offset)
    }
    const [done, open, other] = [call("c1", { result: "found" }), call("c2"), call("c3")]
    const [first, second, third] = ["c1", "c2", "c3"].map((id) => [response(id, id)])
    if (!(first && second && third)) return expect.unreachable()
    expect(spansOf([done], first)).toEqual([100])
    expect(spansOf([done, open], first, second)).toEqual([100, 300])
    expect(spansOf([open, other], [...second, ...third])).toEqual([100, 200])
  })

  test.each<[string, JsonObject, JsonObject]>([
    ["tokens", gemini("m", "1"), { tokens: undefined }],
    ["a model", gemini("m", "1"), { model: undefined }],
    ["words", gemini("m", "1"), { content: "" }],
    ["thoughts", gemini("m", "1", 2, { thoughts: [{ subject: "a", description: "b" }] }), { thoughts: [] }],
    ["calls", gemini("m", "1", 2, { toolCalls: [call("c1")] }), { toolCalls: [] }],
    [
      "results",
      gemini("m", "1", 2, { toolCalls: [call("c1", { result: "found" })] }),
      { toolCalls: [call("c1")] },
    ],
    [
      "what was on the screen",
      user("m", "long", 2, { displayContent: "short" }),
      { displayContent: undefined },
    ],
    ["files", user("m", [{ inlineData: { mimeType: "image/png", data: "AAAA" } }]), { content: [] }],
    ["results of tools", user("m", [response("gone", "found")]), { content: [] }],
  ])("a line without the %s of an earlier one does not replace it", (_, whole, less) => {
    const messages = (...values: JsonObject[]) =>
      sessionsOf([HEADER, user("u1", "one"), ...values])[0]?.messages
    expect(messages(whole, { ...whole, ...less })).toEqual(messages(whole) ?? [])
  })

  test("an image without words is something said", () => {
    const image = user("u2", [{ inlineData: { mimeType: "image/png", data: "AAAA" } }])
    const sessions = sessionsOf([HEADER, user("u1", "one"), image, set([user("u1", "one")])])
    expect(sessions.map(told)).toEqual([["user | one"], ["user | image/png"]])
  })

  test("results whose calls are lost are shown for themselves", () => {
    const [session] = sessionsOf([HEADER, user("u1", "look"), user("r1", [response("gone", "found")])])
    expect(told(session)).toEqual(["user | look", "assistant | read_file"])
    expect(session?.messages[1]?.parts[0]).toMatchObject({ callID: "gone", state: { output: "found" } })
  })

  test("what was gone back from is a child session, once", () => {
    const sessions = sessionsOf([
      HEADER,
      user("u1", "one", 1),
      gemini("g1", "1", 2),
      user("u2", "two", 3),
      gemini("g2", "2", 4),
      { $rewindTo: "u2" },
      set([user("u1", "one", 1), gemini("g1", "1", 2)]),
      user("u3", "three", 5),
      gemini("g3", "3", 6),
    ])
    expect(sessions.map(told)).toEqual([
      ["user | one", "assistant | 1", "user | three", "assistant | 3"],
      ["user | two", "assistant | 2"],
    ])
    expect(sessions[1]?.info).toMatchObject({
      parentID: HEADER.sessionId,
      title: "two (rewound)",
      metadata: { branch: { why: "rewound", after: "g1" } },
      time: { created: Date.parse(after(3)), updated: Date.parse(after(4)) },
    })
  })

  test("going back to what is not known drops all, and what comes again is no branch", () => {
    const sessions = sessionsOf([
      HEADER,
      user("u1", "one"),
      gemini("g1", "1"),
      { $rewindTo: "?" },
      gemini("g1", "1"),
    ])
    expect(sessions.map(told)).toEqual([["assistant | 1"], ["user | one"]])
  })

  test("a list without messages of before leaves them in a child session, but notices and commands where they were", () => {
    const sessions = sessionsOf([
      HEADER,
      user("u1", "one", 1),
      { id: "i1", timestamp: after(2), type: "info", content: "a new release is there" },
      gemini("g1", "1", 3),
      user("c1", "/stats", 4),
      user("u2", "two", 5),
      { id: "e1", timestamp: after(6), type: "error", content: "[API Error: quota]" },
      set([user("u1", "one", 1), gemini("g1", "1", 3)]),
      user("u3", "three", 7),
    ])
    expect(sessions.map(told)).toEqual([
      [
        "user | one",
        "assistant | ~a new release is there",
        "assistant | 1",
        "user | /stats",
        "assistant | ~[API Error: quota]",
        "user | three",
      ],
      ["user | two"],
    ])
    expect(sessions[0]?.messages[4]?.info).toMatchObject({
      error: { name: "UnknownError", data: { message: "[API Error: quota]" } },
      metadata: { type: "error" },
    })
    expect(sessions[1]?.info.metadata).toMatchObject({ branch: { why: "replaced", after: "g1" } })
  })

  test("a compaction comes after what it replaces, and its copies are the messages that they copy", () => {
    const copied = [
      user("copy-u2", "two", 60),
      { id: "copy-g2", timestamp: after(60), type: "gemini", content: [{ text: "2" }] },
    ]
    const summary = [
      user("sum", "<state_snapshot>all</state_snapshot>", 60),
      {
        id: "ack",
        timestamp: after(60),
        type: "gemini",
        content: [{ text: "Got it. Thanks for the additional context!" }],
      },
    ]
    const values = [
      HEADER,
      FRAME,
      user("u1", "one", 1),
      gemini("g1", "1", 2),
      user("u2", "two", 3),
      gemini("g2", "2", 4),
      set([FRAME, ...summary, ...copied]),
      user("u3", "three", 61),
      gemini("g3", "3", 62),
    ]
    const expected = [
      "user | one",
      "assistant | 1",
      "user | two",
      "assistant | 2",
      "assistant | compaction | <state_snapshot>all</state_snapshot>",
      "assistant | ~Got it. Thanks for the additional context!",
      "user | three",
      "assistant | 3",
    ]
    expect(told(sessionsOf(values)[0]).slice(1)).toEqual(expected)
    const resumed = [
      ...values,
      set([FRAME, ...summary, ...copied, user("u3", "three", 61), gemini("g3", "3", 62)]),
    ]
    const sessions = sessionsOf(resumed)
    expect(sessions.map(told)).toEqual([[told(sessions[0])[0] ?? "", ...expected]])
    expect(
      sessions[0]?.messages.filter(({ info }) => info.summary === true).map(({ info }) => ownId(info)),
    ).toEqual(["sum"])

    const [rewound, left] = sessionsOf([...resumed, { $rewindTo: "copy-u2" }, user("u4", "four", 63)])
    expect(told(rewound).slice(1)).toEqual(["user | one", "assistant | 1", "user | four"])
    expect(told(left)[0]).toBe("user | two")

    // What is said after it can be left as ever.
    const replaced = sessionsOf([...resumed, set([FRAME, ...summary, ...copied, user("u5", "five", 70)])])
    expect(told(replaced[0]).slice(-2)).toEqual([
      "assistant | ~Got it. Thanks for the additional context!",
      "user | five",
    ])
    expect(told(replaced[1])).toEqual(["user | three", "assistant | 3"])
    const again = [{ $rewindTo: "copy-u2" }, user("u4", "four", 63), set([FRAME, user("u5", "five", 64)])]
    expect(told(sessionsOf([...resumed, ...again])[0]).at(-1)).toBe("user | five")
    expect(told(sessionsOf([...resumed, ...again])[0])).not.toContain("user | four")
  })

  test("a compaction in the middle of a turn copies results that had no line yet", () => {
    const asked = (id: string, of: string) =>
      gemini(id, [{ functionCall: { id: of, name: "ls", args: {} } }], 3)
    const sessions = sessionsOf([
      HEADER,
      user("u1", "one"),
      asked("g1", "c1"),
      user("r1", [response("c1", "first")]),
      user("u2", "two"),
      asked("g2", "c2"),
      set([
        user("sum", "all"),
        gemini("ack", "Got it. Thanks for the additional context!"),
        user("copy-u2", "two"),
        asked("copy-g2", "c2"),
        user("copy-r2", [response("c2", "second")]),
      ]),
    ])
    expect(sessions.map(told)).toEqual([
      [
        "user | one",
        "assistant | ls",
        "user | two",
        "assistant | ls",
        "assistant | compaction | all",
        "assistant | ~Got it. Thanks for the additional context!",
      ],
    ])
    expect(fieldsOf(sessions[0]?.messages[3]?.parts[0]?.state).output).toBe("second")
  })

  test("the made answer to the frame of older releases is no compaction", () => {
    const ack = gemini("ack", "Got it. Thanks for the additional context!")
    const sessions = sessionsOf([
      HEADER,
      user("u1", "one"),
      set([user("u1", "one"), { ...FRAME, id: "new" }, ack]),
    ])
    expect(sessions[0]?.messages.some(({ info }) => info.summary === true)).toBe(false)
  })

  test("a message without an id is kept", () => {
    const { id: _, ...nameless } = user("", "lost my id")
    const [session] = sessionsOf([HEADER, nameless, nameless])
    expect(told(session)).toEqual(["user | lost my id", "user | lost my id"])
    expect(session?.messages.map(({ info }) => ownId(info))).toEqual(["nameless-1", "nameless-2"])
  })

  test("an old header that became a line gives its messages", () => {
    const [session] = sessionsOf([
      { ...HEADER, messages: [user("u1", "one"), gemini("g1", "1")] },
      user("u2", "two"),
    ])
    expect(told(session)).toEqual(["user | one", "assistant | 1", "user | two"])
  })
})

describe("what a message says", () => {
  const only = (...values: unknown[]) => sessionsOf([HEADER, user("u0", "hi", 0), ...values])[0]?.messages[1]

  test("tokens without the cached ones among the input, and once", () => {
    expect(only(gemini("g1", "1"), gemini("g1", "1"))?.info).toMatchObject({
      modelID: "gemini-3",
      providerID: "google",
      parentID: `${HEADER.sessionId}~u0`,
      tokens: { input: 67, output: 20, reasoning: 5, cache: { read: 40, write: 0 } },
    })
  })

  test("where it was said, and to whom", () => {
    const tree = "/home/dev/app"
    const [session] = sessionsOf([HEADER, FRAME, gemini("g1", "hi"), user("u1", "one"), gemini("g2", "1")], {
      text: (path) => (path.endsWith(".project_root") ? tree : undefined),
    })
    expect(
      session?.messages.map(({ info }) => [info.path, info.parentID && ownId({ id: info.parentID })]),
    ).toEqual([
      [undefined, undefined],
      [{ cwd: tree, root: tree }, undefined],
      [undefined, undefined],
      [{ cwd: tree, root: tree }, "u1"],
    ])
  })

  test("thoughts, then the answer, then calls", () => {
    const thoughts = [
      { subject: "Plan", description: "to look", timestamp: after(2) },
      { description: "more" },
    ]
    expect(only(gemini("g1", "I look.", 2, { thoughts, toolCalls: [call("c1")] }))?.parts).toMatchObject([
      { type: "reasoning", text: "**Plan**\n\nto look", time: { start: Date.parse(after(2)) } },
      { type: "reasoning", text: "more" },
      { type: "text", text: "I look." },
      { type: "tool", tool: "read_file", callID: "c1" },
    ])
  })

  const stateOf = (fields: JsonObject) =>
    fieldsOf(only(gemini("g1", "", 2, { toolCalls: [call("c1", fields)] }))?.parts[0]?.state)

  test.each<[string, JsonObject, JsonObject]>([
    ["text", { result: "found" }, { status: "completed", output: "found" }],
    ["a response", { result: [response("c1", "found")] }, { status: "completed", output: "found" }],
    [
      "responses of parallel calls",
      { result: [response("c2", "of another"), response("c1", "found")] },
      { status: "completed", output: "found" },
    ],
    [
      "an error",
      {
        status: "error",
        result: [{ functionResponse: { id: "c1", response: { error: "no such file" } } }],
        resultDisplay: "no such file",
      },
      { status: "error", error: "no such file" },
    ],
    [
      "a cancellation",
      { status: "cancelled", resultDisplay: "by the person" },
      { status: "error", error: "by the person" },
    ],
    ["nothing", { result: [] }, { status: "completed", output: "" }],
    [
      "an object",
      { result: [{ functionResponse: { id: "c1", response: { rows: 3 } } }] },
      { status: "completed", metadata: { response: { rows: 3 } } },
    ],
    [
      "files within a response",
      {
        result: [
          {
            functionResponse: {
              id: "c1",
              response: { output: "an image" },
              parts: [{ inlineData: { mimeType: "image/png", data: "AAAA" } }],
            },
          },
        ],
      },
      {
        output: "an image",
        attachments: [{ type: "file", mime: "image/png", url: "data:image/png;base64,AAAA" }],
      },
    ],
  ])("a call that gave %s", (_, fields, expected) => {
    expect(stateOf(fields)).toMatchObject(expected)
  })

  test("a call's times, what was shown of it, and the subagent that it was", () => {
    const display = { fileDiff: "+hello" }
    expect(
      stateOf({
        result: "found",
        resultDisplay: display,
        description: "looks for it",
        agentId: "sub",
        displayName: "Read",
      }),
    ).toEqual({
      status: "completed",
      input: { path: "c1" },
      output: "found",
      title: "looks for it",
      metadata: { displayName: "Read", sessionId: "sub", resultDisplay: display },
      time: { start: Date.parse(after(2)), end: Date.parse(after(9)) },
    })
  })

  test("a call without a result may run while it is the last that was done", () => {
    const asked = gemini("g1", [{ functionCall: { id: "c1", name: "ls", args: {} } }])
    expect(fieldsOf(only(asked)?.parts[0]?.state).status).toBe("running")
    expect(only(asked, user("u2", "never mind"))?.parts[0]?.state).toMatchObject({
      status: "error",
      error: "Tool execution aborted",
    })
  })

  test("the person's words as they stood on the screen, what the agent put behind them as such", () => {
    const content = [
      { text: "read @a.txt" },
      { text: "\n--- Content from referenced files ---" },
      { text: "AAA" },
    ]
    const expected = [
      { type: "text", text: "read @a.txt" },
      { type: "text", synthetic: true },
      { type: "text", text: "AAA", synthetic: true },
    ]
    expect(only(user("u1", content))?.parts).toMatchObject(expected)
    expect(only(user("u1", content, 1, { displayContent: [{ text: "read @a.txt" }] }))?.parts).toMatchObject(
      expected,
    )
  })

  test("images and files", () => {
    const content = [
      { text: "see" },
      { inlineData: { mimeType: "image/png", data: "AAAA" } },
      { fileData: { mimeType: "video/mp4", fileUri: "https://example.com/v.mp4" } },
      { executableCode: { language: "PYTHON", code: "1" }, thoughtSignature: "SECRET" },
    ]
    expect(only(user("u1", content))?.parts).toMatchObject([
      { type: "text", text: "see" },
      { type: "file", mime: "image/png", url: "data:image/png;base64,AAAA" },
      { type: "file", mime: "video/mp4", url: "https://example.com/v.mp4" },
      { type: "unknown", value: { executableCode: { code: "1" } } },
    ])
    expect(JSON.stringify(only(user("u1", content)))).not.toContain("SECRET")
  })

  test("fields of later releases are kept as metadata", () => {
    expect(only(gemini("g1", "1", 2, { mood: "good" }))?.info.metadata).toEqual({ mood: "good" })
  })

  test("a line that cannot be read any more leaves the message without what it said", () => {
    const [session] = foldOf(geminiCli, NAME, linesOf([HEADER, user("u1", "one")])).outline(NO_SIDES)
    const [message] = session?.messages ?? []
    if (!message) return expect.unreachable()
    expect(geminiCli.message(message, [undefined])).toEqual({ info: { role: "user" }, parts: [] })
  })
})

describe("what a session says", () => {
  test("of one in which nobody said anything there is none", () => {
    expect(sessionsOf([HEADER, set([FRAME])])).toEqual([])
    expect(sessionsOf([HEADER, FRAME, gemini("ack", "Got it. Thanks for the additional context!")])).toEqual(
      [],
    )
    expect(sessionsOf([HEADER])).toEqual([])
    expect(sessionsOf([])).toEqual([])
  })

  test.each([
    [
      "the agent's summary",
      [HEADER, user("u1", "one"), { $set: { summary: "A talk\nabout one" } }],
      "A talk about one",
    ],
    ["the person's first words", [HEADER, FRAME, user("c1", "/model"), user("u1", " one\n two ")], "one two"],
    ["a command where there are no words", [HEADER, FRAME, user("c1", "/model")], "/model"],
    ["nothing where nobody said anything", [HEADER, gemini("g1", "1")], "Untitled"],
    [
      "no summary of what a subagent gave back",
      [{ ...HEADER, kind: "subagent", summary: "{}" }, user("u1", "one")],
      "one",
    ],
    ["what stood on the screen", [HEADER, user("u1", "EXPANDED", 1, { displayContent: "/short" })], "/short"],
  ])("its title is %s", (_, values, title) => {
    expect(sessionsOf(values)[0]?.info.title).toBe(title)
  })

  const TREE = "/home/dev/my app"
  const hash = new Bun.CryptoHasher("sha256").update(TREE).digest("hex")
  const directoryOf = (sides: Record<string, string>, fields: JsonObject = {}, frame = FRAME) =>
    sessionsOf([{ ...HEADER, projectHash: hash, ...fields }, frame, user("u1", "one")], {
      text: (path) => sides[path],
    })[0]?.info.directory

  test("its work tree is the one noted beside it", () => {
    const projects = JSON.stringify({ projects: { "/other": "app" } })
    expect(directoryOf({ "tmp/app/.project_root": `${TREE}\n`, "projects.json": projects })).toBe(TREE)
  })

  test("its work tree is the one that bears its folder's name", () => {
    const projects = JSON.stringify({ projects: { "/other": "x", [TREE]: "app" } })
    expect(directoryOf({ "projects.json": projects }, { projectHash: "of a path before" })).toBe(TREE)
  })

  test("its work tree is one of which the hash is the header's", () => {
    expect(
      directoryOf({ "projects.json": JSON.stringify({ projects: { "/other": "x", [TREE]: "y" } }) }),
    ).toBe(TREE)
    expect(directoryOf({ "projects.json": "{ torn" }, { directories: ["/other", TREE] })).toBe(TREE)
    const told = user(
      "frame",
      `<session_context>\n- **Workspace Directories:**\n  - ${TREE}\n</session_context>`,
    )
    expect(directoryOf({}, {}, told)).toBe(TREE)
    expect(directoryOf({})).toBeUndefined()
  })

  test("a header that is lost leaves the messages, under the file's name", () => {
    const [session] = sessionsOf([user("u1", "one"), gemini("g1", "1")])
    expect(session?.info).toMatchObject({ id: "session-2026-11-01T00-00-5e551000", title: "one" })
    expect(session?.messages).toHaveLength(2)
  })

  test("it began with its earliest line, wherever that lies", () => {
    const [session] = sessionsOf([user("u1", "one", 5), HEADER])
    expect(session?.info.time).toEqual({
      created: Date.parse(HEADER.startTime),
      updated: Date.parse(after(5)),
    })
  })

  test("small fields of later releases are kept, notes for the agent's memory are not", () => {
    const set = {
      mood: "good",
      summary: "a title",
      memoryScratchpad: { workflow: "x" },
      huge: "x".repeat(10_000),
    }
    expect(sessionsOf([HEADER, user("u1", "one"), { $set: set }])[0]?.info.metadata).toEqual({
      projectHash: "00",
      kind: "main",
      mood: "good",
    })
  })
})
