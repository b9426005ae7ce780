import { put } from "../support/files.ts"
import { type History, HOUR, PNG, tool } from "./history.ts"

/** A session of everything that someone could put into a record to harm its reader. */
export function writeHostile(history: History, now: number): string {
  const at = now - HOUR / 4
  const id = history.session("<script>hostile</script>", at, { directory: '"><img src=x onerror=hacked=1>' })
  history.body("atlas", "ses_a", { title: "circle", parentID: "ses_b", time: { created: 5, updated: 5 } })
  history.body("atlas", "ses_b", { title: "circle", parentID: "ses_a", time: { created: 5, updated: 5 } })
  put(history.directory, "session/b7d2e9/ses_broken.json", '{"id": "ses_broken", "title": ')
  history.prompt(
    id,
    at,
    `<script>alert(1)</script> <img src=x onerror="hacked=true"> <iframe srcdoc="<script>hacked=true</script>">

[click](javascript:hacked=true) [too](JaVaScRiPt:hacked=true) [and](data:text/html,<script>hacked=true</script>)
[entity](&#106;avascript:hacked=true) <javascript:hacked=true> [good](https://example.com/?a=1&b=2)
![picture](https://example.com/track.png) ![inline](data:image/svg+xml,<svg onload=hacked=true>)

<style>body { display: none }</style><base href="https://example.com/"><form action="https://example.com"><button>go</button></form>

[reference]: javascript:hacked=true
[reference]`,
    [
      {
        type: "file",
        mime: "image/svg+xml",
        filename: "evil.svg",
        url: "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
      },
      { type: "file", mime: "image/png", filename: "far.png", url: "https://example.com/far.png" },
      { type: "file", mime: "image/png", filename: "local.png", url: "file:///etc/passwd" },
      { type: "file", mime: "image/png", filename: "good.png", url: PNG },
    ],
  )
  const nested = `${">".repeat(3000)} deep\n\n${"[".repeat(3000)}${"*_".repeat(2000)}`
  const message = history.answer(
    id,
    at + 1_000,
    [
      { type: "text", text: nested },
      {
        type: "text",
        text: `\`\`\`"><script>hacked=true</script>\n</code></pre><script>hacked=true</script>\n\`\`\``,
      },
      { type: "text", text: { not: "text" } },
      { type: "text" },
      { type: ["list"] },
      { type: "<b>unknown</b>", text: "<b>bold</b>" },
      { type: "tool" },
      { type: "tool", tool: { toString: 1 }, state: "running" },
      {
        type: "tool",
        tool: "edit",
        state: { status: "completed", input: null, metadata: { diff: "@@ nonsense @@\n<script>" } },
      },
      {
        type: "tool",
        tool: "edit",
        state: { status: "completed", input: { oldString: 1, newString: "<b>" }, metadata: [] },
      },
      tool("todowrite", { todos: [null, "text", { content: { a: 1 }, status: 5 }] }, "[]"),
      tool(
        "bash",
        { command: "cat \u001b]8;;javascript:hacked=true\u0007x\u001b]8;;\u0007 <script>" },
        "\u0000\u202eabc\u0007".repeat(50),
      ),
      tool("task", {}, "", { metadata: { sessionId: "../../../etc/passwd?x=1#y" } }),
      { type: "reasoning", text: "[x](javascript:hacked=true)", time: "never" },
      { type: "retry", error: { data: { message: ["x"] } } },
      { type: "patch", files: "none" },
      { type: "subtask", prompt: 7 },
      { type: "text", text: `one endless line ${"x".repeat(300_000)}` },
    ],
    {
      tokens: "many",
      cost: { usd: 1 },
      time: { created: at + 1_000, completed: "then" },
      error: "<script>alert(2)</script>",
      modelID: 7,
    },
  )
  put(history.directory, `part/${message}/prt_torn.json`, '{"type": "text", "text": "torn')
  put(history.directory, `message/${id}/msg_torn.json`, "{")
  history.side("todo", id, { not: "a list" })
  history.side("session_diff", id, [{ file: ["x"], before: 1 }, null, "x"])
  history.prompt(id, at + 2_000, "the last word")
  return id
}
