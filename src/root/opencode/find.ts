import { readdirSync } from "node:fs"
import { isAbsolute, join, resolve } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"

/** `opencode.db`, and one for each channel; opencode replaces all other characters of a channel's name. */
const DATABASE_NAME = /^opencode(?:-[A-Za-z0-9._-]+)?\.db$/

/** The environment variables of opencode that name its database. */
export interface DatabaseEnvironment {
  readonly OPENCODE_DB?: string | undefined
}

/**
 * The absolute paths of the databases of opencode's data folder: first the one that `OPENCODE_DB` names, even if it does not exist; then
 * `opencode.db`; then those of channels, by name. A folder that does not exist has none.
 * @param folder opencode's data folder; a relative `OPENCODE_DB` lies in it
 * @throws StoreError `UNREADABLE` if the folder cannot be listed
 */
export function findDatabases(folder: string, env: DatabaseEnvironment = {}): string[] {
  const found = new Set<string>()
  const named = env.OPENCODE_DB
  // A database in memory cannot be read.
  if (named !== undefined && named !== "" && named !== ":memory:")
    found.add(isAbsolute(named) ? resolve(named) : resolve(folder, named))
  for (const name of databaseNames(namesIn(folder))) found.add(resolve(join(folder, name)))
  return [...found]
}

/** The names in a data folder that are databases: `opencode.db` first, then those of channels. */
export function databaseNames(names: readonly string[]): string[] {
  // Compared explicitly, since "-" sorts before ".".
  return names
    .filter((name) => DATABASE_NAME.test(name))
    .sort((a, b) => Number(b === "opencode.db") - Number(a === "opencode.db") || (a < b ? -1 : 1))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === "ENOENT" || code === "ENOTDIR") return []
    throw new StoreError("UNREADABLE", `The folder cannot be listed (${code}): ${folder}`, {
      path: folder,
      cause,
    })
  }
}
