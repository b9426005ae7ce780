import { Command, Option } from "commander"
import type { Usage } from "../../index.ts"
import type { Context } from "../context.ts"
import { directoryOption, fromOption } from "../from.ts"
import { MOMENT, moment } from "../moment.ts"
import { projectOption, projectsNamed } from "../projects.ts"
import { withStore } from "../session-store.ts"
import { table } from "../table.ts"
import { oneLine } from "../text.ts"

const FIGURES = ["messages", "input", "output", "reasoning", "cacheRead", "cacheWrite", "cost"] as const
const HEAD = ["messages", "input", "output", "reasoning", "cache read", "cache write", "cost"]
const GROUPS = ["day", "month", "model", "source"] as const
const UNKNOWN = "(none)"

interface UsageFlags {
  by: (typeof GROUPS)[number]
  project?: string[]
  from?: string[]
  directory?: string
  since?: number
  until?: number
}

type Figures = Record<(typeof FIGURES)[number], number>

/** `usage`: messages, tokens and cost. */
export function usageCommand(context: Context): Command {
  return new Command("usage")
    .description("add up messages, tokens and cost; answers that a forked session copied count once")
    .addOption(new Option("--by <what>", "a row for each").choices(GROUPS).default("day"))
    .addOption(projectOption("only of this project"))
    .addOption(fromOption("only of this history"))
    .addOption(directoryOption())
    .option("--since <time>", `only from this time on: ${MOMENT}`, moment)
    .option("--until <time>", "only up to this time", moment)
    .action(async ({ by, project, from, ...flags }: UsageFlags, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        const { output } = context
        const projectID = await projectsNamed(store, project)
        const usage = await store.usage({ ...flags, projectID, source: from })
        const rows = [...summed(usage, by)]
        if (json) {
          for (const [name, figures] of rows) await output.json({ [by]: name, ...figures })
          return
        }
        const total = [...summed(usage, () => "total").values()]
        await table(
          output,
          [by, ...HEAD],
          [
            ...rows.map(([name, figures]) => cells(name ?? UNKNOWN, figures)),
            ...(rows.length > 1 ? total.map((figures) => cells("total", figures)) : []),
          ],
        )
      })
    })
}

/** Rows added up by what they have in common, in the order of their names. */
function summed(
  usage: readonly Usage[],
  by: UsageFlags["by"] | (() => string),
): ReadonlyMap<string | null, Figures> {
  const sums = new Map<string | null, Figures>()
  for (const row of usage) {
    const name = typeof by === "function" ? by() : nameOf(row, by)
    const sum = sums.get(name) ?? none()
    sums.set(name, sum)
    for (const figure of FIGURES) sum[figure] += row[figure]
  }
  return new Map([...sums].sort(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1)))
}

function nameOf({ day, model, source }: Usage, by: UsageFlags["by"]): string | null {
  if (by === "day") return day
  if (by === "month") return day.slice(0, 7)
  return by === "model" ? model : (source ?? null)
}

function none(): Figures {
  return { messages: 0, input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0, cost: 0 }
}

function cells(name: string, { cost, ...figures }: Figures): string[] {
  const counts = FIGURES.flatMap((figure) =>
    figure === "cost" ? [] : [figures[figure].toLocaleString("en-US")],
  )
  return [oneLine(name), ...counts, cost.toFixed(2)]
}
