import * as fs from "node:fs"
import { Command } from "commander"
import type { ExportEnd, Store } from "../../index.ts"
import { isStoreError, StoreError } from "../../index.ts"
import { fieldsOf } from "../../record/extract.ts"
import { absentSession } from "../absent-session.ts"
import type { Context } from "../context.ts"
import { interruptible } from "../interrupt.ts"
import { markdownHead, markdownMessage, markdownPart } from "../markdown.ts"
import { progressBar } from "../progress.ts"
import { many, size } from "../quantities.ts"
import { type GlobalOptions, withStore } from "../session-store.ts"
import { escapeJson } from "../text.ts"

interface ExportFlags {
  markdown?: boolean
  all?: string
  output?: string
}

const RECOVERED =
  "The session's own file is gone: its title, times and project are made of its messages. `repair` writes such a file."

/** `export`: writes a session out, or copies the whole store. */
export function exportCommand(context: Context): Command {
  return new Command("export")
    .description("write a session as JSON, as the agent's own export does, or copy the whole store")
    .argument("[session]", "a session's id")
    .option("--markdown", "a transcript for people instead of JSON")
    .option("-o, --output <file>", "write to this file instead of standard output")
    .option(
      "--all <folder>",
      "copy every file of the store there as it lies, but for secrets (session_share)",
    )
    .addHelpText(
      "after",
      "\nAn export holds the session, its messages and parts; todos and diffs only come along with --all. With --json it is one line.",
    )
    .action(async (sessionID: string | undefined, flags: ExportFlags, command: Command) => {
      const { all, markdown } = flags
      if (
        (sessionID === undefined) === (all === undefined) ||
        (all !== undefined && (markdown || flags.output))
      )
        return command.error("error: name a session, or --all and a folder", { exitCode: 2 })
      if (markdown && flags.output === undefined && command.optsWithGlobals<GlobalOptions>().json)
        return command.error("error: Markdown is no JSON: name a file with --output, or leave out --json", {
          exitCode: 2,
        })
      await withStore(context, command, async (store, { json }) => {
        const { signal, release } = interruptible()
        try {
          if (all !== undefined) await copyAll(context, store, all, json ?? false, signal)
          else if (sessionID !== undefined)
            await exportOne(context, store, sessionID, flags, json ?? false, signal)
        } catch (error) {
          if (sessionID !== undefined && isStoreError(error, "NOT_FOUND"))
            throw await absentSession(store, sessionID)
          throw error
        } finally {
          release()
        }
      })
    })
}

async function exportOne(
  context: Context,
  store: Store,
  id: string,
  flags: ExportFlags,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { output } = context
  // A file gets the agent's own bytes; a terminal would obey some of them.
  const shown = (piece: string): string => {
    if (json) return escapeJson(inOneLine(piece))
    return output.isTerminal && !flags.markdown ? escapeJson(piece) : piece
  }
  const onRecovered = (): void => output.note(RECOVERED)
  const text = flags.markdown ? markdown(store, id, signal, onRecovered) : store.export(id, { signal })
  const end =
    flags.output === undefined
      ? await drain(text, (piece) => output.text(shown(piece)))
      : await drainToFile(text, flags.output)
  if (end?.recovered) onRecovered()
  if (end && end.left.length > 0) {
    context.fail()
    output.error(
      `The export lacks ${many(end.left.length, "record")} that cannot be read; --max-record raises the bound of their size`,
    )
  }
  // What a transcript lacks was told as it was met.
  if (flags.markdown && store.health().problems > 0) context.fail()
  if (flags.output === undefined) return json ? await output.line() : undefined
  if (json) await output.json({ sessionID: id, output: flags.output, ...end })
  else output.note(`${id} → ${flags.output}`)
}

/** JSON without its layout: within strings a line break is an escape. */
function inOneLine(piece: string): string {
  return piece.replaceAll(/\n */g, "")
}

async function drain(
  text: AsyncGenerator<string, ExportEnd | undefined>,
  write: (piece: string) => Promise<void>,
): Promise<ExportEnd | undefined> {
  let next = await text.next()
  for (; !next.done; next = await text.next()) await write(next.value)
  return next.value
}

/** Writes to a file beside it first, so that an export cut short leaves what was there; a pipe or a device is written to. */
async function drainToFile(
  text: AsyncGenerator<string, ExportEnd | undefined>,
  path: string,
): Promise<ExportEnd | undefined> {
  try {
    const there = fs.statSync(path, { throwIfNoEntry: false })
    if (there && !there.isFile()) return await drainInto(await fs.promises.open(path, "w"), text)
    // Where a link leads to is what is written anew.
    const target = there ? fs.realpathSync(path) : path
    const temp = `${target}.${process.pid}.tmp`
    try {
      const end = await drainInto(await fs.promises.open(temp, "w", 0o600), text, true)
      fs.renameSync(temp, target)
      return end
    } finally {
      fs.rmSync(temp, { force: true })
    }
  } catch (cause) {
    if (cause instanceof StoreError || !(cause instanceof Error) || !("code" in cause)) throw cause
    throw new StoreError("WRITE_FAILED", `The export cannot be written (${String(cause.code)}): ${path}`, {
      path,
      cause,
    })
  }
}

/** Writes to an open file and closes it. */
async function drainInto(
  file: fs.promises.FileHandle,
  text: AsyncGenerator<string, ExportEnd | undefined>,
  flushed = false,
): Promise<ExportEnd | undefined> {
  try {
    const end = await drain(text, (piece) => file.writeFile(piece))
    if (flushed) await file.sync()
    return end
  } finally {
    await file.close()
  }
}

/** A transcript, one part at a time. */
async function* markdown(
  store: Store,
  id: string,
  signal: AbortSignal,
  onRecovered: () => void,
): AsyncGenerator<string, undefined> {
  const found = await store.sessions.get(id)
  const session = found ?? (await store.sessions.recover(id, { signal }))
  if (!session) throw new StoreError("NOT_FOUND", `There is no session ${JSON.stringify(id)}`)
  if (!found) onRecovered()
  yield markdownHead(session)
  for await (const message of store.messages.list(id, { direction: "asc", signal })) {
    yield markdownMessage(message)
    const messageID = fieldsOf(message).id
    if (typeof messageID !== "string") continue
    for await (const part of store.parts.list(messageID, { signal })) yield markdownPart(part)
  }
  return undefined
}

async function copyAll(
  context: Context,
  store: Store,
  folder: string,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { output } = context
  const bar = progressBar(output.interactive, "{value} files")
  try {
    const copy = store.copyTo(folder, {
      signal,
      onProgress: ({ files }) => bar.update({ done: files, total: files }),
    })
    let next = await copy.next()
    for (; !next.done; next = await copy.next()) {
      context.fail()
      if (json) await output.json(next.value)
      else output.note(`not copied, ${next.value.reason}: ${next.value.path}`)
    }
    bar.stop()
    const { copied, bytes, unchanged, secrets } = next.value
    if (json) return await output.json(next.value)
    await output.line(`copied ${many(copied, "file")}, ${size(bytes)}; ${unchanged} were there already`)
    if (secrets > 0) output.note(`left out ${many(secrets, "secret")} (session_share)`)
  } finally {
    bar.stop()
  }
}
