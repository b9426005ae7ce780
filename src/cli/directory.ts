import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
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
 * opencode's databases: those in the folder that was named, or beside it; where there are none, those of opencode's own data folder,
 * with the one that `OPENCODE_DB` names.
 */
export function databasesNear(directory: string): RootProvider[] {
  const folder = resolve(directory)
  for (const near of [folder, dirname(folder)]) {
    const found = databasesIn(near)
    if (found.length > 0) return found
  }
  return databasesIn(defaultData(), { OPENCODE_DB: process.env.OPENCODE_DB })
}

function defaultData(): string {
  return join(process.env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "opencode")
}

function databasesIn(folder: string, env: { OPENCODE_DB?: string | undefined } = {}): RootProvider[] {
  try {
    return opencodeDatabases(folder, env)
  } catch (error) {
    // What keeps it from being looked at is told when the store is read.
    if (isStoreError(error, "UNREADABLE")) return []
    throw error
  }
}
