import { Command } from "commander"
import type { Pruned, PruneOptions, PruneResult, Store } from "../../index.ts"
import type { Context } from "../context.ts"
import { interruptible } from "../interrupt.ts"
import type { Output } from "../output.ts"
import { progressBar } from "../progress.ts"
import { bytes, count, duration, many, size } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"
import { clockColumn } from "../time.ts"

interface PruneFlags {
  olderThan?: number
  keep?: number
  maxSize?: number
  orphans?: boolean
  force?: boolean
  project?: string
  children?: boolean
  dryRun?: boolean
  purge?: boolean
  yes?: boolean
}

/** `prune`: removes what the rules name, after saying what it is. */
export function pruneCommand(context: Context): Command {
  return new Command("prune")
    .description("move old sessions to the trash; `restore` brings them back")
    .option("--older-than <duration>", "sessions not used for this long, such as 90d, 6w, 1y", duration)
    .option("--keep <count>", "all but this many, those used last", count)
    .option(
      "--max-size <size>",
      "all but those used last that fit together into this size, such as 2GB",
      bytes,
    )
    .option("--orphans", "records whose session or message is gone")
    .option(
      "--force",
      "with --orphans: even if there is no session or message at all, as when a disk is missing",
    )
    .option("--project <id>", "only sessions of this project; --keep and --max-size count these alone")
    .option(
      "--children",
      "also take the child sessions of what goes; without it each session is judged on its own",
    )
    .option("--dry-run", "only show what would go")
    .option("--purge", "delete for good instead of moving to the trash")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      "\nWith several rules, a session goes if any of them selects it. A child that stays without its parent stays listed.",
    )
    .action(async (flags: PruneFlags, command: Command) => {
      if ([flags.olderThan, flags.keep, flags.maxSize, flags.orphans].every((rule) => rule === undefined))
        return command.error("error: say what goes: --older-than, --keep, --max-size or --orphans", {
          exitCode: 2,
        })
      await withStore(context, command, async (store, { json }) => {
        const { signal, release } = interruptible()
        try {
          await prune(context, command, store, flags, json ?? false, signal)
        } finally {
          release()
        }
      })
    })
}

async function prune(
  context: Context,
  command: Command,
  store: Store,
  { dryRun = false, purge = false, yes = false, ...flags }: PruneFlags,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { output } = context
  const { olderThan, keep, maxSize: maxBytes, force, project: projectID, children } = flags
  const orphans = flags.orphans && force ? "force" : flags.orphans
  const rules: PruneOptions = { olderThan, keep, maxBytes, orphans, projectID, children, purge, signal }
  // With the version each was shown in: what is changed while the question stands, stays.
  const only = new Map<string, string>()
  const planned = await each(store.prune({ ...rules, dryRun: true }), async (pruned) => {
    only.set(pruned.id, pruned.version)
    if (!json) await output.line(line(pruned, output))
    else if (dryRun) await output.json(pruned)
  })
  const what = `${many(planned.sessions, "session")}${planned.orphans > 0 ? ` and the orphans of ${planned.orphans}` : ""}, ${many(planned.files, "file")}, ${size(planned.bytes)}`
  if (planned.parentless > 0)
    output.note(
      `${many(planned.parentless, "child session")} will stay without a parent; --children takes them along`,
    )
  if (dryRun) return json ? await output.json(planned) : await output.line(`would go: ${what}`)
  if (only.size > 0 && !yes) {
    const question = purge ? `Delete ${what} for good?` : `Move ${what} to the trash?`
    if (!output.canAsk)
      return command.error(`error: say --yes or --dry-run. It would go: ${what}`, { exitCode: 2 })
    if (!(await output.confirm(question))) return
  }
  const bar = progressBar(output.interactive && !json, "{bar} {value}/{total} sessions")
  let done = 0
  const result = await each(store.prune({ ...rules, only }), async (pruned) => {
    bar.update({ done: ++done, total: only.size })
    const { error } = pruned
    const told = error && { error: { code: error.code, message: error.message, path: error.path } }
    if (json) await output.json({ ...pruned, ...told })
    else if (pruned.outcome === "failed") output.error(`${pruned.error?.code}: ${pruned.error?.message}`)
  }).finally(() => bar.stop())
  // One that is in use again is not named by the rules any more.
  const stayed = only.size - done + result.left
  if (stayed > 0) context.fail()
  if (json) return await output.json(result)
  const gone = `${many(result.sessions, "session")}${result.orphans > 0 ? ` and the orphans of ${result.orphans}` : ""}, ${many(result.files, "file")}, ${size(result.bytes)}`
  await output.line(purge ? `deleted ${gone}` : `moved to the trash: ${gone}`)
  if (stayed > 0) output.note(`${many(stayed, "session")} stayed: changed meanwhile, or could not be moved`)
}

/** Runs a prune and gives its sums. */
async function each(
  run: AsyncGenerator<Pruned, PruneResult>,
  visit: (pruned: Pruned) => Promise<void>,
): Promise<PruneResult> {
  let next = await run.next()
  for (; !next.done; next = await run.next()) await visit(next.value)
  return next.value
}

function line({ id, kind, title, updated, files, bytes, reason }: Pruned, output: Output): string {
  const what = kind === "session" ? oneLine(title ?? "") : "(no such session or message)"
  return `${output.style("dim", clockColumn(updated))}  ${output.style("cyan", oneLine(id))}  ${many(files, "file")}, ${size(bytes)}  ${output.style("dim", reason)}  ${what}`
}
