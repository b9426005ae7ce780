import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { isStoreError, opencodeDatabases, type RootProvider } from "../index.ts"

/**
 * Where opencode keeps its history: its data folder, `$XDG_DATA_HOME/opencode`, by default below `~/.local/share`, where that has a
 * database, else the `storage` in it.
 */
export function defaultDirectory(): string {
  const data = defaultData()
  return databasesIn(data).length > 0 ? data : join(data, "storage")
}

/**
 * The database that `OPENCODE_DB` names for a data folder, absolute: for opencode's own whatever it names, there or not; for a copy of one,
 * what lies in it under a relative name. `undefined` where it names none.
 */
export function namedDatabase(folder: string): string | undefined {
  const named = process.env.OPENCODE_DB
  // Of a database in memory there is nothing to read.
  if (!named || named === ":memory:") return undefined
  const path = resolve(folder, named)
  if (resolve(folder) === resolve(defaultData())) return path
  return !isAbsolute(named) && existsSync(path) ? path : undefined
}

/**
 * opencode's databases: those in the folder that was named, or beside it; where there are none, those of opencode's own data folder. With
 * the one that `OPENCODE_DB` names.
 */
export function databasesNear(directory: string): RootProvider[] {
  const folder = resolve(directory)
  for (const near of [folder, dirname(folder)]) {
    const found = databasesIn(near)
    if (found.length > 0) return found
  }
  return databasesIn(defaultData())
}

function defaultData(): string {
  return join(process.env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "opencode")
}

function databasesIn(folder: string): RootProvider[] {
  try {
    return opencodeDatabases(folder, { OPENCODE_DB: namedDatabase(folder) })
  } catch (error) {
    // What keeps it from being looked at is told when the store is read.
    if (isStoreError(error, "UNREADABLE")) return []
    throw error
  }
}
