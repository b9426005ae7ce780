import fc from "fast-check"
import { put } from "./files.ts"

/** Stand in a body for what `JSON.stringify` cannot write, and are put in its text. */
const SPELLED: Readonly<Record<string, string>> = {
  "@infinite": "1e999",
  // Deep enough that the engine reads it and cannot write it.
  "@deep": `${'{"a":['.repeat(30_000)}1${"]}".repeat(30_000)}`,
}

const BODIES = {
  session: {
    id: "ses",
    version: "1",
    projectID: "p",
    parentID: null,
    directory: "/home/dev",
    title: "a needle in a title",
    time: { created: 1_700_000_000_000, updated: 1_700_000_000_000, archived: 0 },
    share: { url: "u", secret: "s" },
    summary: { additions: 1, deletions: 1, files: 1, diffs: [{ file: "f", additions: 1, deletions: 1 }] },
  },
  message: {
    id: "msg",
    sessionID: "ses",
    role: "assistant",
    time: { created: 1_700_000_000_000, completed: 1_700_000_001_000 },
    modelID: "m",
    providerID: "v",
    agent: "a",
    mode: "build",
    cost: 1,
    tokens: { input: 1, output: 1, reasoning: 1, cache: { read: 1, write: 1 } },
    error: { name: "E", data: { message: "why" } },
    summary: { diffs: [{ file: "f" }] },
    path: { cwd: "/", root: "/" },
  },
  text: { type: "text", text: "a needle in a text", time: { start: 1, end: 2 }, synthetic: false },
  reasoning: { type: "reasoning", text: "thought", time: { start: 1, end: 2 } },
  tool: {
    type: "tool",
    tool: "edit",
    callID: "c",
    state: {
      status: "completed",
      title: "t",
      input: { command: "ls", filePath: "f", oldString: "a", newString: "b", todos: [{ content: "c" }] },
      output: "needle",
      error: "e",
      raw: "r",
      time: { start: 1, end: 2 },
      metadata: { diff: "@@ -1 +1 @@\n-a\n+b", sessionId: "ses" },
      attachments: [{ mime: "m", url: "u", filename: "f" }],
    },
  },
  file: { type: "file", mime: "image/png", url: "data:image/png;base64,AAAA", filename: "f", source: {} },
  patch: { type: "patch", hash: "h", files: ["f"] },
  subtask: { type: "subtask", agent: "a", description: "d", prompt: "p" },
  retry: { type: "retry", attempt: 1, error: { message: "m" }, time: { created: 1 } },
  finish: { type: "step-finish", cost: 1, tokens: { input: 1, output: 1, cache: { read: 1 } } },
  project: {
    id: "p",
    worktree: "/",
    name: "n",
    icon: {},
    sandboxes: ["s"],
    time: { created: 1, updated: 1 },
  },
  todo: [{ content: "c", status: "pending", priority: "high", id: "1" }],
  diff: [{ file: "f", before: "a", after: "b", additions: 1, deletions: 1, status: "modified" }],
}

type Shape = keyof typeof BODIES

const text = fc.oneof(
  fc.constantFrom(
    "yesterday",
    "",
    " \n\t ",
    "__proto__",
    "constructor",
    "toString",
    "\ud800",
    "a\udc00b",
    "../../x",
    "`".repeat(200_000),
    "\u001b[31m\u009b2J\u0007\u007f\u0000",
    "one\nFORGED\u2028FORGED\u2029FORGED\u0085FORGED\rFORGED\u000bFORGED",
    "\u202e\u2066\u200f\u061c\u200b\u2060\ufeff\u{e0041}",
    "@deep",
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
)
const number = fc.constantFrom(
  1.7e18,
  -1.7e18,
  8.64e15,
  8.64e15 + 1,
  -8.64e15,
  1e300,
  -1e300,
  5e-324,
  -1,
  0,
  0.5,
  2 ** 53,
  253_402_300_800_000,
  -62_135_596_800_001,
)
const NAMES = [
  "id",
  "time",
  "created",
  "updated",
  "title",
  "type",
  "message",
  "state",
  "file",
  "secret",
  "length",
  "toJSON",
  "then",
]
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false, [], {}, "@infinite"),
    number,
    text,
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), text), tie("any"), { maxKeys: 3 }),
  ),
})).any

/** Every place in a value, the value itself left out. */
function places(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return at.length > 0 ? [at] : []
  const within = Object.entries(value).flatMap(([name, child]) => places(child, [...at, name]))
  return at.length > 0 ? [at, ...within] : within
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by
  if (Array.isArray(value))
    return value.map((child, at) => (String(at) === name ? replaced(child, rest, by) : child))
  if (typeof value !== "object" || value === null) return value
  const fields = Object.entries(value).map(([field, child]) => [
    field,
    field === name ? replaced(child, rest, by) : child,
  ])
  return Object.fromEntries(fields)
}

/** A body's text with any JSON in up to three of its places. */
function strange(shape: Shape): fc.Arbitrary<string> {
  const change = fc.tuple(fc.constantFrom(...places(BODIES[shape])), value)
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const body = changes.reduce<unknown>((made, [at, by]) => replaced(made, at, by), BODIES[shape])
    return Object.entries(SPELLED).reduce(
      (json, [word, spelled]) =>
        json.replaceAll(`${JSON.stringify(word)}:`, '"":').replaceAll(JSON.stringify(word), spelled),
      JSON.stringify(body),
    )
  })
}

const PARTS: readonly Shape[] = ["text", "reasoning", "tool", "file", "patch", "subtask", "retry", "finish"]

/** Texts of files by their paths: sessions, messages, parts, projects, todos and diffs with any JSON in any place. */
export function strangeFiles(sessions: number): fc.Arbitrary<Readonly<Record<string, string>>> {
  const files: Record<string, fc.Arbitrary<string>> = { "project/p.json": strange("project") }
  for (let at = 0; at < sessions; at++) {
    const id = `ses_${at}`
    files[`session/p/${id}.json`] = strange("session")
    files[`todo/${id}.json`] = fc.oneof(strange("todo"), strange("project"))
    files[`session_diff/${id}.json`] = strange("diff")
    for (const message of [`msg_${at}a`, `msg_${at}b`]) {
      files[`message/${id}/${message}.json`] = strange("message")
      for (const shape of PARTS) files[`part/${message}/prt_${shape}.json`] = strange(shape)
    }
  }
  return fc.record(files)
}

/** Puts them into a store's folder. */
export function putAll(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) put(directory, path, text)
}
