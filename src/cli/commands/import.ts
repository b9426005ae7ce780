import { randomUUID } from "node:crypto"
import { createWriteStream, existsSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { pipeline } from "node:stream/promises"
import { Command, Option } from "commander"
import {
  type ConflictChoice,
  findSources,
  type Home,
  type ImportOlderResult,
  type ImportProgress,
  opencodeDatabase,
  postgres,
  type RootProvider,
  StoreError,
  sourceNames,
  transcripts,
} from "../../index.ts"
import type { Context } from "../context.ts"
import { databasesNear, filesBeside } from "../directory.ts"
import { interruptible } from "../interrupt.ts"
import { MOMENT, moment } from "../moment.ts"
import { progressBar } from "../progress.ts"
import { size } from "../quantities.ts"
import { type GlobalOptions, withStore } from "../session-store.ts"
import { oneLine } from "../text.ts"

interface ImportFlags {
  /** A folder, or `true` for the one beside the store. */
  older?: string | true
  /** `opencode`, or the path of one of its databases. */
  from?: string
  since?: number | undefined
  onConflict?: ConflictChoice
  project?: string
  dryRun?: boolean
}

/** `import`: brings histories into the store. */
export function importCommand(context: Context): Command {
  return new Command("import")
    .description("import histories into the store; existing records stay as they are")
    .argument("[file]", "a session's export, as the agent or `export` writes it; - for standard input")
    .addOption(
      new Option(
        "--on-conflict <choice>",
        "what stays where the store holds another content under an id",
      ).choices(["keep", "replace", "newest"]),
    )
    .option(
      "--project <id>",
      "the project of a session that the store does not have yet; with --from only that project's sessions",
    )
    .option("--dry-run", "only show what would be done")
    .option("--older [folder]", "copy the history in the older layout, by default that beside the store")
    .option(
      "--from <history>",
      "copy sessions that are new or newer out of an agent's history (opencode, claude-code, codex, gemini-cli; NAME=FOLDER), out of a database of opencode named by its path, or out of the PostgreSQL database of many machines by its URL",
    )
    .option("--since <time>", `with --from: only sessions updated from this time on: ${MOMENT}`, moment)
    .action(async (file: string | undefined, flags: ImportFlags, command: Command) => {
      const { older, from, since, ...options } = flags
      if (from !== undefined && file === undefined && older === undefined)
        return importFrom(context, command, from, { ...options, since })
      if (
        from !== undefined ||
        since !== undefined ||
        (older === undefined) === (file === undefined) ||
        (older !== undefined && Object.keys(options).length > 0)
      )
        return command.error("error: say what to import: a file, --from, or --older", { exitCode: 2 })
      if (older !== undefined) await importOlder(context, command, older === true ? undefined : older)
      else if (file !== undefined) await importFile(context, command, file, options)
    })
}

async function importFile(
  context: Context,
  command: Command,
  file: string,
  { onConflict, project: projectID, dryRun }: ImportFlags,
): Promise<void> {
  const { output } = context
  const bar = progressBar(output.interactive, "{kind} {bar} {percentage}%")
  const { signal, release } = interruptible()
  const onProgress = ({ step, done, total }: ImportProgress): void => bar.update({ kind: step, done, total })
  const spool = file === "-" ? join(tmpdir(), `sessiondex-import-${randomUUID()}.json`) : undefined
  try {
    // An export is read twice, which standard input cannot be.
    if (spool !== undefined)
      await pipeline(process.stdin, createWriteStream(spool, { flags: "wx", mode: 0o600 }), { signal }).catch(
        (error: unknown) => {
          // What ends the stream says less than the signal's reason.
          signal.throwIfAborted()
          throw error
        },
      )
    const work: Parameters<typeof withStore>[2] = async (store, { json }) => {
      const options = { onConflict, projectID, dryRun, signal, onProgress }
      const result = await store.import(spool ?? file, options)
      bar.stop()
      if (result.left.length > 0) context.fail()
      if (json) return await output.json(result)
      const { sessionID, added, replaced, unchanged, kept, left } = result
      const would = dryRun ? "would be " : ""
      await output.line(
        `${oneLine(sessionID)}: ${would}added ${added}, replaced ${replaced}, kept ${kept}; ${unchanged} were there already`,
      )
      for (const { path, code, message } of left) output.note(`left: ${code} ${path}: ${message}`)
    }
    // A new machine may have no history yet.
    await withStore(context, command, work, { create: true })
  } finally {
    bar.stop()
    release()
    if (spool !== undefined) rmSync(spool, { force: true })
  }
}

async function importFrom(
  context: Context,
  command: Command,
  from: string,
  { onConflict, project: projectID, since, dryRun }: ImportFlags,
): Promise<void> {
  const { output } = context
  const bar = progressBar(output.interactive, "{bar} {value}/{total} sessions, {records} records copied")
  const { signal, release } = interruptible()
  const work: Parameters<typeof withStore>[2] = async (store, { dir, json }) => {
    const histories = historiesOf(from, dir, store.directory, context.home)
    if (histories.length === 0) {
      const places = findSources(context.home).flatMap(({ name, place }) => (name === from ? place : []))
      throw new StoreError("NOT_FOUND", `There is no history of ${from} in ${places.join(" or ")}`, {
        hint: "Name one: --from <path of a database>, or --from NAME=<folder>.",
      })
    }
    for (const history of histories) {
      const result = await store.importFrom(history, {
        onConflict,
        projectID,
        since,
        dryRun,
        signal,
        onProgress: (progress) => bar.update(progress),
      })
      bar.stop()
      const { sessions, records, left } = result
      if (left.length > 0) context.fail()
      if (json) {
        await output.json({ from: history.place, ...result })
        continue
      }
      const would = dryRun ? "would be " : ""
      await output.line(
        `${oneLine(history.place)}: ${would}added ${sessions.added}, replaced ${sessions.replaced}, kept ${sessions.kept} sessions; ${sessions.unchanged} were there already; ${records.written} records written`,
      )
      for (const { path, code, message } of left) output.note(`left: ${code} ${path}: ${message}`)
    }
  }
  try {
    await withStore(context, command, work, { create: true })
  } finally {
    bar.stop()
    release()
  }
}

/** `opencode`, an agent's name with or without its folder, or the path of a database of opencode. */
function historiesOf(from: string, dir: string | undefined, store: string, home: Home): RootProvider[] {
  if (from === "opencode") return [...filesBeside(store, undefined, home), ...databasesNear(dir, home)]
  if (/^postgres(?:ql)?:/.test(from)) return [postgres(from)]
  const [name = "", ...path] = from.split("=")
  const agent = sourceNames().find((known) => known === name)
  if (agent === undefined && !existsSync(from))
    throw new StoreError("NOT_FOUND", `There is no database: ${resolve(from)}`, {
      path: resolve(from),
      hint: `Name a history (${sourceNames().join(", ")}), NAME=<folder>, or the path of a database.`,
    })
  if (agent === undefined) return [opencodeDatabase(from)]
  const folder = path.join("=")
  if (agent === "opencode") return [...filesBeside(store, folder, home), ...databasesNear(folder, home)]
  if (folder !== "") return [transcripts(agent, folder)]
  const found = findSources(home).filter((source) => source.name === agent && source.found)
  return found.map(({ place }) => transcripts(agent, place))
}

async function importOlder(context: Context, command: Command, directory?: string): Promise<void> {
  const { output } = context
  const bar = progressBar(output.interactive, "{bar} {value}/{total} sessions, {copied} records copied")
  const { signal, release } = interruptible()
  const work = async (
    store: Parameters<Parameters<typeof withStore>[2]>[0],
    { json }: GlobalOptions,
  ): Promise<void> => {
    const result = await store.importOlder({
      directory,
      signal,
      onProgress: (progress) => bar.update(progress),
    })
    bar.stop()
    if (result.unreadable.length > 0) context.fail()
    if (json) await output.json(result)
    else await print(context, result)
  }
  try {
    // A new machine may have nothing but the older layout.
    await withStore(context, command, work, { create: true })
  } finally {
    bar.stop()
    release()
  }
}

async function print({ output }: Context, result: ImportOlderResult): Promise<void> {
  const { copied, present, differing, unreadable, bytes, elapsedMs } = result
  const counts = ({ sessions, messages, parts }: ImportOlderResult["copied"]): string =>
    `${sessions} sessions, ${messages} messages, ${parts} parts`
  await output.line(`copied ${counts(copied)} (${size(bytes)}) in ${elapsedMs} ms`)
  await output.line(`there already: ${counts(present)}`)
  for (const id of differing)
    await output.line(`${oneLine(id)} is there in another version, and was left with all that belongs to it`)
  for (const { path, code, message } of unreadable) await output.line(oneLine(`${code} ${path}: ${message}`))
}
