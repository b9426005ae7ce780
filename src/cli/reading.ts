import { join, resolve } from "node:path"
import { InvalidArgumentError } from "commander"
import {
  findSources,
  findStore,
  type Home,
  machineOf,
  ownFolder,
  postgres,
  type RootProvider,
  type Source,
  StoreError,
  type StoreOptions,
  sourceAt,
  sourceNames,
} from "../index.ts"
import { namedDatabase } from "./directory.ts"

/** What the command line says of the histories to be read. */
export interface ReadingOptions {
  readonly dir?: string
  /** Histories by name and folder. */
  readonly source?: readonly Source[]
  /** `false` for the store alone. */
  readonly sources: boolean
  /** The database of many machines, in place of this home's histories. */
  readonly fleet?: string
}

/** Reads `NAME=DIR` from the command line. */
export function namedSource(text: string, before: readonly Source[] = []): Source[] {
  const at = text.indexOf("=")
  const name = sourceNames().find((known) => known === text.slice(0, at))
  if (name === undefined || at === text.length - 1)
    throw new InvalidArgumentError(`It must be NAME=DIR; names are ${sourceNames().join(", ")}.`)
  return [...before, { name, place: resolve(text.slice(at + 1)) }]
}

/**
 * Which store is opened, and which histories with it: those that are named, else all of this home. A folder that is named as the store and is an
 * agent's is read as its history.
 */
export function readingOf(
  { dir, source, sources, fleet }: ReadingOptions,
  home: Home,
): Pick<StoreOptions, "directory" | "database" | "sources"> {
  // Nothing lies there, and nothing is made there.
  if (fleet !== undefined && dir === undefined)
    return { directory: join(ownFolder(home), "fleet"), sources: source ?? [] }
  if (dir !== undefined) {
    const name = sourceAt(resolve(dir))
    if (name === undefined) return { directory: dir, database: namedDatabase(dir, home), sources: source }
    return { directory: ownFolder(home), sources: [{ name, place: resolve(dir) }, ...(source ?? [])] }
  }
  if (source !== undefined) return { directory: ownFolder(home), sources: source }
  const store = findStore(home)
  const isOwn = store === ownFolder(home)
  if (!sources) return { directory: isOwn ? store : join(store, "storage"), sources: [] }
  const found = findSources(home).filter(({ found }) => found)
  const database = isOwn ? undefined : found.find(({ name }) => name === "opencode")?.database
  return { directory: store, database, sources: found }
}

/** The commands that can read a fleet; the others change what is here. */
const FLEET_COMMANDS = [
  "export",
  "messages",
  "problems",
  "projects",
  "search",
  "serve",
  "sessions",
  "show",
  "stats",
  "usage",
]

/** The fleet that the options name, as a root. @throws StoreError for commands that read none; TypeError for what is no URL of one */
export async function fleetOf(
  { dir, fleet }: ReadingOptions,
  command: string,
  home: Home,
): Promise<RootProvider | undefined> {
  if (fleet === undefined) return undefined
  // Without a command the newest sessions are listed.
  if (command !== "sessiondex" && !FLEET_COMMANDS.includes(command))
    throw new TypeError(`${command} reads no fleet; these do: ${FLEET_COMMANDS.join(", ")}`)
  return postgres(fleet, { machine: await machineOf(dir ?? ownFolder(home)) })
}

/** What is said where a home has no history. */
export function nothingFound(home: Home): StoreError {
  const places = findSources(home).map(({ name, place }) => `${name} in ${place}`)
  return new StoreError(
    "NOT_FOUND",
    `There is no history here. Looked for ${places.join(", ")}, and our own store in ${ownFolder(home)}`,
    { hint: "Name a history with --source NAME=DIR, or a store with --dir." },
  )
}
