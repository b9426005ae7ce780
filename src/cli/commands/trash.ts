import { Argument, Command } from "commander"
import type { Store } from "../../index.ts"
import type { Context } from "../context.ts"
import { interruptible } from "../interrupt.ts"
import { duration, many, size } from "../quantities.ts"
import { withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"
import { clockColumn } from "../time.ts"

interface TrashFlags {
  olderThan?: number
  yes?: boolean
}

/** `trash`: lists what was pruned, or deletes it for good. */
export function trashCommand(context: Context): Command {
  return new Command("trash")
    .description("list what was pruned and can be restored; `trash empty` deletes it for good")
    .addArgument(new Argument("[action]", "what to do").choices(["list", "empty"]).default("list"))
    .option("--older-than <duration>", "only what was removed longer ago than this, such as 30d", duration)
    .option("-y, --yes", "do not ask")
    .action(async (action: "list" | "empty", flags: TrashFlags, command: Command) => {
      await withStore(context, command, async (store, { json }) => {
        if (action === "list") await list(context, store, flags, json ?? false)
        else await empty(context, command, store, flags, json ?? false)
      })
    })
}

/** A clock that was set back since makes no entry invisible. */
function removedBefore(olderThan: number | undefined): number {
  return olderThan === undefined ? Number.POSITIVE_INFINITY : Date.now() - olderThan
}

async function list(
  { output }: Context,
  store: Store,
  { olderThan }: TrashFlags,
  json: boolean,
): Promise<void> {
  const latest = removedBefore(olderThan)
  let shown = 0
  for await (const entry of store.trash.list()) {
    if (entry.removed > latest) continue
    shown++
    if (json) {
      await output.json(entry)
      continue
    }
    const { id, kind, title, removed, files, bytes, whole } = entry
    const when = output.style("dim", clockColumn(removed))
    const what = kind === "session" ? oneLine(title ?? "") : "(orphans)"
    const state = whole
      ? ""
      : output.style("yellow", "  cut short; the next prune, restore or empty finishes it")
    await output.line(
      `${when}  ${output.style("cyan", oneLine(id))}  ${many(files, "file")}, ${size(bytes)}  ${what}${state}`,
    )
  }
  if (shown === 0 && !json) output.nothing("Nothing in the trash.")
}

async function empty(
  { output }: Context,
  command: Command,
  store: Store,
  { olderThan, yes }: TrashFlags,
  json: boolean,
): Promise<void> {
  const { signal, release } = interruptible()
  try {
    const latest = removedBefore(olderThan)
    let entries = 0
    let bytes = 0
    for await (const entry of store.trash.list({ signal })) {
      if (entry.removed > latest) continue
      entries++
      bytes += entry.bytes
    }
    if (entries > 0 && !yes) {
      const what = `${many(entries, "session")}, ${size(bytes)}`
      if (!output.canAsk) return command.error(`error: say --yes to delete ${what} for good`, { exitCode: 2 })
      if (!(await output.confirm(`Delete ${what} for good?`))) return
    }
    const gone = { entries: 0, bytes: 0 }
    for await (const entry of store.trash.empty({ olderThan, signal })) {
      gone.entries++
      gone.bytes += entry.bytes
      if (json) await output.json(entry)
    }
    if (!json) await output.line(`deleted ${many(gone.entries, "session")}, ${size(gone.bytes)}`)
  } finally {
    release()
  }
}
