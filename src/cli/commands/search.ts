import { Command, Option } from "commander"
import type { SearchHit, SearchOptions } from "../../index.ts"
import type { Context } from "../context.ts"
import { directoryOption, fromOption } from "../from.ts"
import { MOMENT, moment } from "../moment.ts"
import type { Output } from "../output.ts"
import { projectOption, projectsNamed } from "../projects.ts"
import { count } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"
import { clockColumn } from "../time.ts"

/** The snippet on one line, its matches standing out. */
function highlighted({ snippet, ranges }: SearchHit, output: Output): string {
  const line = (text: string): string => oneLine(text).replace(/\s+/g, " ")
  let shown = ""
  let at = 0
  for (const [from, to] of ranges) {
    shown += line(snippet.slice(at, from)) + output.style(["yellow", "bold"], line(snippet.slice(from, to)))
    at = to
  }
  return shown + line(snippet.slice(at))
}

interface SearchFlags
  extends Pick<SearchOptions, "role" | "type" | "tool" | "since" | "until" | "in" | "limit" | "wait"> {
  project?: string[]
  from?: string[]
  directory?: string
  session?: string
}

/** `search`: finds any substring in titles and messages. */
export function searchCommand(context: Context): Command {
  return new Command("search")
    .description(
      'find words, parts of words or "phrases" in titles and messages, newest first; -word excludes',
    )
    .argument(
      "<query...>",
      "what to look for; words must all occur in one message. Quotes of a phrase must reach the command: '\"a phrase\"'",
    )
    .addOption(projectOption("only in this project"))
    .addOption(fromOption("only in this history"))
    .addOption(directoryOption())
    .option("--session <id>", "only in this session")
    .option("--role <role>", "only messages of this role")
    .option("--type <type>", "only parts of this type, as text, reasoning, tool")
    .option("--tool <name>", "only calls of this tool")
    .option("--since <time>", `only from this time on: ${MOMENT}`, moment)
    .option("--until <time>", "only up to this time", moment)
    .addOption(new Option("--in <where>", "where to look").choices(["title", "text", "all"]).default("all"))
    .option("--limit <count>", "at most this many hits", count, 50)
    .option("--no-wait", "do not update the index first; a note says whether something may be missing")
    .action(
      async (words: string[], { project, from, session, wait, ...flags }: SearchFlags, command: Command) => {
        await withStore(context, command, async (store, { json }) => {
          const { output } = context
          // Who waits at a terminal, or a script, wants all of it and in order.
          const options = {
            ...flags,
            projectID: await projectsNamed(store, project),
            source: from,
            sessionID: session,
            wait,
            fresh: wait,
          }
          const hits = store.search(words.join(" "), options)
          let found = 0
          let next = await hits.next()
          for (; !next.done; next = await hits.next()) {
            found++
            const hit = next.value
            if (json) await output.json(hit)
            else {
              const where = output.style("cyan", oneLine(hit.sessionID))
              await output.line(
                `${output.style("dim", clockColumn(hit.time))}  ${where}  ${oneLine(hit.title)}`,
              )
              await output.line(`    ${highlighted(hit, output)}`)
            }
          }
          if (next.value.partial) output.note(`There may be more (${next.value.reason})`)
          if (found > 0) return
          context.fail()
          if (!json && !next.value.partial) output.nothing("Nothing found.")
        })
      },
    )
}
