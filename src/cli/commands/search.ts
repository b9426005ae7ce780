import { Command, InvalidArgumentError, Option } from "commander"
import type { SearchHit, SearchOptions } from "../../index.ts"
import type { Context } from "../context.ts"
import { type Output, printable } from "../output.ts"
import { count } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { clock } from "../transcript.ts"

/** Reads a date or a number of ms from the command line. */
function time(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (!Number.isFinite(value))
    throw new InvalidArgumentError("It must be a date, as 2026-11-22, or ms since 1970.")
  return value
}

/** The snippet on one line, its matches standing out. */
function highlighted({ snippet, ranges }: SearchHit, output: Output): string {
  const line = (text: string): string => printable(text).replace(/\s+/g, " ")
  let shown = ""
  let at = 0
  for (const [from, to] of ranges) {
    shown += line(snippet.slice(at, from)) + output.style(["yellow", "bold"], line(snippet.slice(from, to)))
    at = to
  }
  return shown + line(snippet.slice(at))
}

interface SearchFlags
  extends Pick<SearchOptions, "role" | "type" | "tool" | "since" | "until" | "in" | "limit"> {
  project?: string
  session?: string
}

/** `search`: finds any substring in titles and messages. */
export function searchCommand(context: Context): Command {
  return new Command("search")
    .description(
      'find words, parts of words or "phrases" in titles and messages, newest first; -word excludes',
    )
    .argument("<query...>", "what to look for; words must all occur in one message")
    .option("--project <id>", "only in this project")
    .option("--session <id>", "only in this session")
    .option("--role <role>", "only messages of this role")
    .option("--type <type>", "only parts of this type, as text, reasoning, tool")
    .option("--tool <name>", "only calls of this tool")
    .option("--since <time>", "only from this time on", time)
    .option("--until <time>", "only up to this time", time)
    .addOption(new Option("--in <where>", "where to look").choices(["title", "text", "all"]).default("all"))
    .option("--limit <count>", "at most so many hits", count, 50)
    .action(async (words: string[], { project, session, ...options }: SearchFlags, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const hits = store.search(words.join(" "), { ...options, projectID: project, sessionID: session })
        let found = 0
        let next = await hits.next()
        for (; !next.done; next = await hits.next()) {
          found++
          const hit = next.value
          if (json) await output.json(hit)
          else {
            const where = output.style("cyan", printable(hit.sessionID))
            await output.line(`${output.style("dim", clock(hit.time))}  ${where}  ${printable(hit.title)}`)
            await output.line(`    ${highlighted(hit, output)}`)
          }
        }
        if (next.value.partial && !json) output.note(`There may be more (${next.value.reason})`)
        if (found === 0) context.fail()
      })
    })
}
