import { dirname, join, resolve } from "node:path"
import type { Command } from "commander"
import { openStore, type Store, StoreError, type StoreOptions } from "../index.ts"
import type { Context } from "./context.ts"
import { namedDatabase } from "./directory.ts"

/** The options every command has. */
export interface GlobalOptions {
  dir: string
  json?: boolean
  indexPath?: string
  alsoRead?: string[]
  maxRecord?: number
  older: boolean
  color: boolean
}

/** Opens the store that the options name, runs the command over it, and closes it. @param create whether it may be missing */
export async function withStore(
  context: Context,
  command: Command,
  work: (store: Store, options: GlobalOptions) => Promise<void>,
  { create = false, ...more }: Partial<StoreOptions> & { create?: boolean } = {},
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>()
  const { output } = context
  if (!options.color) output.noColours()
  // Of a data folder the store is its `storage`.
  const above = [resolve(options.dir), join(resolve(options.dir), "storage")]
  const database = namedDatabase(options.dir)
  await using store = await openStore({
    directory: options.dir,
    database,
    indexPath: options.indexPath,
    alsoRead: options.alsoRead,
    older: options.older,
    maxRecordBytes: options.maxRecord,
    backgroundIndex: false,
    logger: { warn: (message) => output.note(message) },
    onProblem: ({ path, code, message }) => {
      output.note(`${code} ${path}: ${message}`)
      // One bad record is a note. Where all of a kind cannot be looked at, the answer is not what was asked for.
      if (path === database || above.some((folder) => path === folder || dirname(path) === folder))
        context.fail()
    },
    ...more,
  })
  const missing = store.missing().find(({ path }) => !create || path !== store.directory)
  if (missing)
    throw new StoreError(missing.code, missing.message, {
      path: missing.path,
      hint:
        (missing.path === database ? "OPENCODE_DB names it." : missing.hint) ??
        "Name the store with --dir or SESSIONDEX_DIR: the folder with session/, message/ and part/.",
    })
  await work(store, options)
}
