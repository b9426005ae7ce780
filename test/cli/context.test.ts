import { expect, test } from "bun:test"
import { homeOfAll } from "../support/home.ts"
import { cliIn } from "./in-process.ts"

test("what an agent said in the person's place is shown as context, by show and in Markdown, and a compaction as such", async () => {
  const home = homeOfAll()
  const { out: listed } = await cliIn(home, "--json", "sessions", "--from", "codex")
  const rows = listed.trim().split("\n")
  const sessions = rows.map((row) => (JSON.parse(row) as { session: { id: string; title: string } }).session)
  const { id = "", title = "" } = sessions.find((session) => session.title.includes("compaction")) ?? {}
  expect(id).not.toBe("")

  const { out: markdown } = await cliIn(home, "export", id, "--markdown")
  const folded =
    /<details><summary>Context<\/summary>\n\n```\n[^`]*<environment_context>[^`]*```\n\n<\/details>/
  expect(markdown).toMatch(folded)
  expect(markdown.replaceAll(/<details>[^`]*```\n[^`]*```\n\n<\/details>/g, "")).not.toContain(
    "<environment_context>",
  )
  expect(markdown).toContain(`\n${title}\n`)
  expect(markdown).toContain("\n_The conversation was compacted")

  const { out: shown } = await cliIn(home, "show", id)
  expect(shown).toMatch(/^ {2}context\n(?: {4}.*\n)* {4}<environment_context>\n/m)
  expect(shown).toContain(`\n  ${title}\n`)
  expect(shown).toContain("\n  compaction\n")
})
