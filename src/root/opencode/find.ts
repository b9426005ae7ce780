import { readdirSync } from "node:fs"
import { isAbsolute, join, resolve } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"

/** `opencode.db`, and one a channel: opencode itself replaces all other characters of a channel's name. */
const DATABASE_NAME = /^opencode(?:-[A-Za-z0-9._-]+)?\.db$/

/** What opencode's environment says of its database. */
export interface DatabaseEnvironment {
  readonly OPENCODE_DB?: string | undefined
}

/**
 * The databases of opencode's data folder, absolute: the one that `OPENCODE_DB` names, where it does and whether or not it is
 * there, then `opencode.db`, then those of channels by name. A folder that is not there has none.
 * @param folder opencode's data folder, by default `$XDG_DATA_HOME/opencode`; a relative `OPENCODE_DB` lies in it
 * @throws StoreError `UNREADABLE` where the folder cannot be listed
 */
export function findDatabases(folder: string, env: DatabaseEnvironment = {}): string[] {
  const found = new Set<string>()
  const named = env.OPENCODE_DB
  // Of a database in memory there is nothing to read.
  if (named !== undefined && named !== "" && named !== ":memory:")
    found.add(isAbsolute(named) ? resolve(named) : resolve(folder, named))
  for (const name of databaseNames(namesIn(folder))) found.add(resolve(join(folder, name)))
  return [...found]
}

/** Those of the names in a data folder that are of databases: `opencode.db` first, then those of channels. */
export function databaseNames(names: readonly string[]): string[] {
  // Written out, since "-" sorts before ".".
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
