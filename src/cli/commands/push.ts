import { resolve } from "node:path"
import { Command } from "commander"
import {
  isStoreError,
  ownFolder,
  type Pushed,
  type PushOptions,
  type PushResult,
  type StoreError,
} from "../../index.ts"
import type { Context } from "../context.ts"
import { fromOption } from "../from.ts"
import { interruptible } from "../interrupt.ts"
import { MOMENT, moment } from "../moment.ts"
import type { Output } from "../output.ts"
import { progressBar } from "../progress.ts"
import { many } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

interface PushFlags {
  as?: string
  from?: string[]
  project?: string[]
  exclude?: string[]
  since?: number
  mask: boolean
  delete?: boolean
  force?: boolean
  newMachine?: boolean
  watch?: boolean
  dryRun?: boolean
}

const several = (one: string, before: string[] = []): string[] => [...before, one]

/** A project's id as it is, a folder from the root on. No id is a path, nor a dot alone. */
const placed = (project: string): string => (/^\.{1,2}$|[/\\]/.test(project) ? resolve(project) : project)

/** `push`: publishes sessions to a PostgreSQL database that many machines share. */
export function pushCommand(context: Context): Command {
  return new Command("push")
    .description("publish sessions to a PostgreSQL database that several machines share")
    .argument("<url>", "postgres://user@host/database; the password from PGPASSFILE, PGPASSWORD or the URL")
    .option("--as <name>", "what to call this machine; kept for later pushes")
    .addOption(fromOption("only sessions of this history"))
    .option(
      "--project <id|folder>",
      "only of this project: an id, or a folder with all below it; repeatable",
      several,
    )
    .option("--exclude <id|folder>", "none of this project, named likewise; repeatable", several)
    .option("--since <time>", `only sessions updated from this time on: ${MOMENT}`, moment)
    .option("--no-mask", "publish keys and tokens as they are")
    .option("--delete", "take back sessions that are not here any more")
    .option("--force", "publish sessions also where messages are missing that were published")
    .option("--new-machine", "push as a machine of its own, as on a copied disk")
    .option("--watch", "go on: push what changes until Ctrl-C")
    .option("--dry-run", "only list what would be published, and what would be masked")
    .action(async (url: string, flags: PushFlags, command: Command) => {
      const { output } = context
      const { dryRun, watch = false } = flags
      const bar = progressBar(
        output.interactive && !watch,
        "{done} sessions looked at, {records} records published",
      )
      const { signal, release } = interruptible()
      const work: Parameters<typeof withStore>[2] = async (store, { json, dir }) => {
        const options: PushOptions = {
          name: flags.as,
          source: flags.from,
          project: flags.project?.map(placed),
          exclude: flags.exclude?.map(placed),
          since: flags.since,
          mask: flags.mask,
          delete: flags.delete,
          force: flags.force,
          newMachine: flags.newMachine,
          // The store of a home may move when one of its own is made; who the machine is must not.
          machineFolder: dir === undefined ? ownFolder(context.home) : undefined,
          watch,
          dryRun,
          signal,
          onRound: (round) => tellRound(output, round),
          onProgress: ({ sessions, records }) => {
            const progress = { done: sessions, total: sessions, records }
            bar.update(progress)
          },
        }
        const pushing = store.push(url, options)
        let next = await pushing.next()
        for (; !next.done; next = await pushing.next()) {
          bar.stop()
          if (json) await output.json(next.value)
          else await output.line(lineOf(next.value, output, dryRun ?? false))
        }
        bar.stop()
        const result = next.value
        if (result.left.length > 0) context.fail()
        if (json) return await output.json(result)
        for (const line of sumsOf(result, dryRun ?? false)) await output.line(line)
        tellLeft(output, result)
      }
      try {
        await withStore(context, command, work, { create: true, keep: !dryRun, watch })
      } finally {
        bar.stop()
        release()
      }
    })
}

function lineOf(
  { action, sessionID, title, records, masked }: Pushed,
  output: Output,
  dryRun: boolean,
): string {
  const what = action === "removed" ? "taken back" : `${action}, ${many(records, "record")}`
  const secrets = Object.entries(masked).map(([kind, count]) => `${count} ${kind}`)
  const note = secrets.length > 0 ? `; ${dryRun ? "would mask" : "masked"} ${secrets.join(", ")}` : ""
  return `${output.style("cyan", oneLine(sessionID))}  ${oneLine(title)}  ${output.style("dim", `(${what}${note})`)}`
}

function sumsOf({ machine, fleet, sessions, records, masked }: PushResult, dryRun: boolean): string[] {
  const { added, changed, unchanged, removed, forgotten } = sessions
  const would = dryRun ? "would be " : ""
  const all = Object.entries(masked).map(([kind, count]) => `${count} ${kind}`)
  return [
    `${oneLine(machine.name)} to ${fleet}: ${would}added ${added}, changed ${changed}, taken back ${removed} sessions, ${many(records, "record")}; ${unchanged} unchanged, ${forgotten} forgotten`,
    ...(all.length > 0 ? [`${dryRun ? "would be " : ""}masked or left out: ${all.join(", ")}`] : []),
  ]
}

function tellLeft(output: Output, { left }: PushResult): void {
  for (const { path, code, message } of left) output.note(`left: ${code} ${path}: ${message}`)
}

/** With `--watch`: what a push came to where that is worth a word. */
function tellRound(output: Output, round: PushResult | StoreError): void {
  if (isStoreError(round)) output.note(`${round.code}: ${round.message}; it is tried again`)
  else tellLeft(output, round)
}
