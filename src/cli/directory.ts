import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, isAbsolute, resolve } from "node:path"
import { findSources, type Home, isStoreError, opencodeDatabases, type RootProvider } from "../index.ts"

/** The home of whoever runs this process. */
export function thisHome(): Home {
  return { environment: process.env, home: homedir() }
}

/**
 * The database that `OPENCODE_DB` names for a data folder, absolute: for opencode's own whatever it names, there or not; for a copy of one,
 * what lies in it under a relative name. `undefined` where it names none.
 */
export function namedDatabase(folder: string, home: Home): string | undefined {
  const named = home.environment.OPENCODE_DB
  // Of a database in memory there is nothing to read.
  if (!named || named === ":memory:") return undefined
  const path = resolve(folder, named)
  if (resolve(folder) === resolve(defaultData(home))) return path
  return !isAbsolute(named) && existsSync(path) ? path : undefined
}

/**
 * opencode's databases: those in the folder that was named, or beside it; where there are none, those of opencode's own data folder. With
 * the one that `OPENCODE_DB` names.
 */
export function databasesNear(directory: string | undefined, home: Home): RootProvider[] {
  const folder = directory === undefined ? undefined : resolve(directory)
  for (const near of folder === undefined ? [] : [folder, dirname(folder)]) {
    const found = databasesIn(near, home)
    if (found.length > 0) return found
  }
  return databasesIn(defaultData(home), home)
}

function defaultData(home: Home): string {
  return findSources(home).find(({ name }) => name === "opencode")?.place ?? ""
}

function databasesIn(folder: string, home: Home): RootProvider[] {
  try {
    return opencodeDatabases(folder, { OPENCODE_DB: namedDatabase(folder, home) })
  } catch (error) {
    // What keeps it from being looked at is told when the store is read.
    if (isStoreError(error, "UNREADABLE")) return []
    throw error
  }
}
