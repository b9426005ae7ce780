import { createId } from "../../src/index.ts"
import { put } from "../support/files.ts"
import { Random } from "../support/random.ts"

type Fields = Record<string, unknown>
export const HOUR = 3_600_000
export const DAY = 24 * HOUR
const PROJECTS = { shop: "a1c3f0", atlas: "b7d2e9" } as const
export type ProjectName = keyof typeof PROJECTS

/** Writes sessions as the agent does, with times of one's choosing. */
export class History {
  readonly directory: string
  #cost = 0

  constructor(directory: string) {
    this.directory = directory
    for (const [name, id] of Object.entries(PROJECTS))
      put(directory, `project/${id}.json`, {
        id,
        worktree: `/home/dev/${name}`,
        vcs: "git",
        time: { created: 1 },
      })
  }

  session(title: string, created: number, over: Fields & { project?: ProjectName } = {}): string {
    const { project = "shop", ...fields } = over
    const id = createId("session", created)
    this.body(project, id, {
      version: "1.1.65",
      directory: `/home/dev/${project}`,
      title,
      time: { created, updated: created },
      ...fields,
    })
    return id
  }

  body(project: ProjectName, id: string, body: Fields): void {
    put(this.directory, `session/${PROJECTS[project]}/${id}.json`, {
      id,
      projectID: PROJECTS[project],
      ...body,
    })
  }

  message(sessionID: string, created: number, over: Fields, parts: readonly Fields[]): string {
    const id = createId("message", created)
    put(this.directory, `message/${sessionID}/${id}.json`, { id, sessionID, time: { created }, ...over })
    for (const part of parts) this.part(sessionID, id, created, part)
    return id
  }

  part(sessionID: string, messageID: string, created: number, fields: Fields): string {
    const id = createId("part", created)
    put(this.directory, `part/${messageID}/${id}.json`, { id, sessionID, messageID, ...fields })
    return id
  }

  prompt(sessionID: string, created: number, text: string, more: readonly Fields[] = []): string {
    return this.message(sessionID, created, { role: "user", agent: "build" }, [
      { type: "text", text },
      ...more,
    ])
  }

  answer(
    sessionID: string,
    created: number,
    parts: readonly Fields[],
    over: Fields & { model?: string; lasted?: number } = {},
  ): string {
    const { model = "sonnet-4.5", lasted = 8_000, ...fields } = over
    this.#cost = (this.#cost * 7 + 13) % 101
    return this.message(
      sessionID,
      created,
      {
        role: "assistant",
        agent: "build",
        mode: "build",
        providerID: "example",
        modelID: model,
        path: { cwd: "/home/dev/shop", root: "/home/dev/shop" },
        time: { created, completed: created + lasted },
        cost: 0.004 + this.#cost / 1000,
        tokens: {
          input: 900 + this.#cost * 40,
          output: 150 + this.#cost * 11,
          reasoning: 40,
          cache: { read: 9_000 + this.#cost * 300, write: 500 },
        },
        ...fields,
      },
      [{ type: "step-start" }, ...parts, { type: "step-finish", reason: "stop", cost: 0, tokens: {} }],
    )
  }

  side(folder: "todo" | "session_diff", sessionID: string, content: unknown): void {
    put(this.directory, `${folder}/${sessionID}.json`, content)
  }
}

/** A call of a tool that ended well. */
export function tool(name: string, input: Fields, output: string, over: Fields = {}): Fields {
  return {
    type: "tool",
    callID: `call_${name}`,
    tool: name,
    state: {
      status: "completed",
      input,
      output,
      title: "",
      metadata: {},
      time: { start: 1_000, end: 2_340 },
      ...over,
    },
  }
}

const TITLES = [
  "Cache the price list between requests",
  "Why is the nightly export late?",
  "Move the address form to the new layout",
  "Flaky test in the payment suite",
  "Explain the retry policy of the queue",
  "Upgrade the linter and fix what it finds",
  "Add a health check to the worker",
  "Rename Basket to Cart",
  "Speed up the search index",
  "Write the release notes for 4.2",
  "Read CSV files with a byte order mark",
  "Round prices as the invoice does",
] as const

const DIFF = `Index: src/checkout/price.ts
===================================================================
--- src/checkout/price.ts
+++ src/checkout/price.ts
@@ -12,9 +12,11 @@
 export function total(lines: readonly Line[]): Money {
-  let sum = 0
-  for (const line of lines) sum += line.price * line.count
-  return { amount: Math.round(sum * 100) / 100, currency: "EUR" }
+  // Cents, so that no sum is ever off by one.
+  let cents = 0
+  for (const { price, count } of lines) cents += Math.round(price * 100) * count
+  return { amount: cents / 100, currency: "EUR" }
 }
 
 export function format({ amount, currency }: Money): string {
+  if (!Number.isFinite(amount)) throw new RangeError("An amount must be finite")
   return new Intl.NumberFormat("en", { style: "currency", currency }).format(amount)
 }
`

/** A picture of a chart, 1 pixel high for each byte: enough to see that pictures are shown. */
export const PNG =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGNkYPj/n4GBgYmBgYGBAQANCQIEr6h6zwAAAABJRU5ErkJggg=="

/**
 * A history to look at: a few sessions with all that a transcript can show, and many small ones over a hundred days.
 * @returns the ids of the sessions that tests open
 */
export function writeHistory(directory: string, now: number): { main: string; child: string; long: string } {
  const history = new History(directory)
  const random = new Random(7)
  for (let count = 0; count < 70; count++) {
    const created = now - 2 * DAY - Math.floor(random.next() ** 1.4 * 88) * DAY - random.below(9 * HOUR)
    const project = random.pick(["shop", "shop", "atlas"] as const)
    const title = TITLES[(count * 5) % TITLES.length] ?? ""
    const id = history.session(title, created, {
      project,
      summary: { additions: random.below(200), deletions: random.below(60), files: 2 },
    })
    history.prompt(id, created, "Have a look, please.")
    for (let answers = 1 + random.below(24); answers > 0; answers--)
      history.answer(
        id,
        created + answers * 60_000,
        [{ type: "text", text: "Done; see the changes above." }],
        {
          model: random.pick(["sonnet-4.5", "sonnet-4.5", "haiku-4", "gpt-5-mini"]),
        },
      )
  }
  const long = longSession(history, now - DAY - 3 * HOUR)
  history.session("Try the new bundler", now - 26 * HOUR, {
    project: "atlas",
    time: { created: now - 26 * HOUR, updated: now - 26 * HOUR, archived: now - 25 * HOUR },
  })
  return { ...mainSession(history, now - 2 * HOUR), long }
}

function longSession(history: History, start: number): string {
  const id = history.session("Port the report engine, file by file", start, { project: "atlas" })
  for (let turn = 0; turn < 40; turn++) {
    const at = start + turn * 60_000
    history.prompt(id, at, `Step ${turn}: port the next file.`)
    history.answer(
      id,
      at + 5_000,
      [
        { type: "text", text: `Ported file ${turn}. ${"It reads as before. ".repeat((turn * 7) % 23)}` },
        tool("bash", { command: `bun test report/${turn}.test.ts` }, `${turn} pass\n0 fail`),
      ],
      { model: "haiku-4" },
    )
  }
  return id
}

function mainSession(history: History, start: number): { main: string; child: string } {
  const main = history.session("Prices are a cent off at checkout", start, {
    time: { created: start, updated: start + 95 * 60_000 },
    summary: { additions: 5, deletions: 3, files: 1 },
  })
  const child = history.session("Find where prices are rounded (@explore)", start + 70_000, {
    parentID: main,
  })
  history.prompt(child, start + 70_000, "Find every place that rounds a price.")
  history.answer(child, start + 75_000, [{ type: "text", text: "Only `src/checkout/price.ts` rounds." }])
  history.side("todo", main, [
    { id: "1", content: "Find where prices are rounded", status: "completed", priority: "high" },
    { id: "2", content: "Count in cents", status: "completed", priority: "high" },
    { id: "3", content: "Test sums of a thousand lines", status: "in_progress", priority: "medium" },
    { id: "4", content: "Tell the finance team", status: "pending", priority: "low" },
  ])
  history.side("session_diff", main, [
    {
      file: "src/checkout/price.ts",
      before: "export const round = (x: number) => Math.round(x)\n",
      after: "export const round = (x: number) => Math.round(x * 100) / 100\n",
      additions: 1,
      deletions: 1,
      status: "modified",
    },
  ])
  history.prompt(main, start, "A basket of 3 × €1.10 shows **€3.31**. Where does the extra cent come from?", [
    { type: "file", mime: "image/png", filename: "checkout.png", url: PNG },
  ])
  history.answer(main, start + 60_000, [
    {
      type: "reasoning",
      text: "The sum is built from floating point prices. I should look at where it is rounded.",
      time: { start: start + 60_000, end: start + 63_200 },
    },
    {
      type: "text",
      text: "I'll look at how the total is built, and let an agent find every other place that rounds.",
    },
    tool("grep", { pattern: "Math.round", path: "src" }, "src/checkout/price.ts:15", { title: "Math.round" }),
    tool("task", { description: "Find where prices are rounded", prompt: "…" }, "Only price.ts rounds.", {
      title: "Find where prices are rounded",
      metadata: { sessionId: child },
    }),
    tool(
      "read",
      { filePath: "/home/dev/shop/src/checkout/price.ts" },
      "export function total(lines: readonly Line[]): Money {\n  let sum = 0\n  for (const line of lines) sum += line.price * line.count\n",
      { title: "src/checkout/price.ts" },
    ),
  ])
  history.answer(main, start + 120_000, [
    {
      type: "text",
      text: `The cent comes from adding **floating point** prices and rounding once at the end:

| step | sum |
| ---: | --- |
| 1 | \`1.1\` |
| 2 | \`2.2\` |
| 3 | \`3.3000000000000003\` |

Counting in cents cannot go wrong. This is the change:

\`\`\`ts
let cents = 0
for (const { price, count } of lines) cents += Math.round(price * 100) * count
return { amount: cents / 100, currency: "EUR" }
\`\`\`

- [x] count in cents
- [ ] test sums of a thousand lines

See [the note on money](https://example.com/money) for why.`,
    },
    tool(
      "edit",
      {
        filePath: "/home/dev/shop/src/checkout/price.ts",
        oldString: "let sum = 0",
        newString: "let cents = 0",
      },
      "",
      { title: "src/checkout/price.ts", metadata: { diff: DIFF } },
    ),
    tool(
      "bash",
      { command: "bun test checkout", description: "Run the checkout tests" },
      "\u001b[32m14 pass\u001b[0m\n0 fail\n",
      {
        title: "Run the checkout tests",
        time: { start: 1_000, end: 13_480 },
      },
    ),
    {
      type: "tool",
      callID: "call_fetch",
      tool: "webfetch",
      state: {
        status: "error",
        input: { url: "https://example.com/rounding" },
        error: "The host could not be reached",
        time: { start: 1_000, end: 6_000 },
      },
    },
    { type: "patch", hash: "c0ffee", files: ["src/checkout/price.ts"] },
  ])
  history.prompt(main, start + 90 * 60_000, "Good. Does it hold for a thousand lines?")
  history.answer(
    main,
    start + 91 * 60_000,
    [
      {
        type: "text",
        text: "Yes: I added a test with 1,000 random lines and compared the sum with one of integers.",
      },
      tool(
        "write",
        {
          filePath: "/home/dev/shop/test/price.test.ts",
          content:
            'test("a thousand lines", () => {\n  expect(total(lines).amount).toBe(expected / 100)\n})\n',
        },
        "Wrote file",
        {
          title: "test/price.test.ts",
        },
      ),
    ],
    { model: "haiku-4", lasted: 21_000 },
  )
  return { main, child }
}
