import { dirname, join, resolve } from "node:path"
import type { Command } from "commander"
import { openStore, type Store, StoreError, type StoreOptions } from "../index.ts"
import type { Context } from "./context.ts"
import { checkSources } from "./from.ts"
import { fleetOf, nothingFound, type ReadingOptions, readingOf } from "./reading.ts"

/** The options every command has. */
export interface GlobalOptions extends ReadingOptions {
  json?: boolean
  indexPath?: string
  alsoRead?: string[]
  maxRecord?: number
  older: boolean
  /** Of `import` it is one history, which need not be known here. */
  from?: readonly string[] | string
  color: boolean
}

/** Opens the store that the options name, runs the command over it, and closes it. @param create whether it may be missing @param keep whether the index of a home is to be kept */
export async function withStore(
  context: Context,
  command: Command,
  work: (store: Store, options: GlobalOptions) => Promise<void>,
  {
    create = false,
    keep = false,
    ...more
  }: Partial<StoreOptions> & { create?: boolean; keep?: boolean } = {},
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions>()
  const { output } = context
  if (!options.color) output.noColours()
  const reading = readingOf(options, context.home)
  const { directory, database } = reading
  // Of a data folder the store is its `storage`.
  const above = [resolve(directory), join(resolve(directory), "storage")]
  const fleet = await fleetOf(options, command.name(), context.home)
  const told = new Set<string>()
  await using store = await openStore({
    ...reading,
    roots: fleet && [fleet],
    keepIndex: keep && reading.sources !== undefined,
    indexPath: options.indexPath,
    alsoRead: options.alsoRead,
    older: options.older,
    maxRecordBytes: options.maxRecord,
    backgroundIndex: false,
    logger: {
      // Each place has an index of its own, and what hinders one mostly hinders all.
      warn: (message) => {
        if (!told.has(message)) output.note(message)
        told.add(message)
      },
    },
    onProblem: ({ path, code, message }) => {
      output.note(`${code} ${path}: ${message}`)
      // One bad record is a note. Where all of a kind cannot be looked at, the answer is not what was asked for.
      if (
        path === database ||
        path === fleet?.place ||
        above.some((folder) => path === folder || dirname(path) === folder)
      )
        context.fail()
    },
    ...more,
  })
  const isOfHome = options.dir === undefined && options.source === undefined && !fleet
  if (isOfHome && !create && reading.sources?.length === 0 && store.missing().length > 0)
    throw nothingFound(context.home)
  const missing = store.missing().find(({ path }) => !create || path !== store.directory)
  if (missing)
    throw new StoreError(missing.code, missing.message, {
      path: missing.path,
      hint:
        (missing.path === database ? "OPENCODE_DB names it." : missing.hint) ??
        "Name the store with --dir or SESSIONDEX_DIR: the folder with session/, message/ and part/.",
    })
  if (!fleet && typeof options.from === "object") checkSources(store, options.from)
  await work(store, options)
}
