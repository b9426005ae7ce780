import * as fs from "node:fs"
import type { Command } from "commander"
import { openStore, type Store, StoreError, type StoreOptions } from "../index.ts"
import type { Context } from "./context.ts"

/** The options every command has. */
export interface GlobalOptions {
  dir: string
  json?: boolean
  indexPath?: string
  color: boolean
}

/** Opens the store that the options name, runs the command over it, and closes it. */
export async function withStore(
  context: Context,
  command: Command,
  work: (store: Store, options: GlobalOptions) => Promise<void>,
  more: Partial<StoreOptions> = {},
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>()
  const { output } = context
  if (!options.color) output.noColours()
  if (!fs.statSync(options.dir, { throwIfNoEntry: false })?.isDirectory())
    throw new StoreError("NOT_FOUND", `There is no folder ${options.dir}`, {
      path: options.dir,
      hint: "Name the store with --dir or SESSIONDEX_DIR: the folder with session/, message/ and part/.",
    })
  await using store = await openStore({
    directory: options.dir,
    indexPath: options.indexPath,
    backgroundIndex: false,
    logger: { warn: (message) => output.note(message) },
    onProblem: ({ path, code, message }) => output.note(`${code} ${path}: ${message}`),
    ...more,
  })
  await work(store, options)
}
