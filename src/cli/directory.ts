import { existsSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, isAbsolute, join, resolve } from "node:path"
import {
  findSources,
  type Home,
  isStoreError,
  jsonFolder,
  opencodeDatabases,
  type RootProvider,
} from "../index.ts"

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

/**
 * opencode's JSON files in its data folder, or in the folder that was named; none if they are the store's own.
 * @param store the store's folder
 */
export function filesBeside(store: string, named: string | undefined, home: Home): RootProvider[] {
  const data = resolve(named ?? defaultData(home))
  const folder = [join(data, "storage"), data].find((one) => existsSync(join(one, "session")))
  if (folder === undefined || (existsSync(store) && realpathSync(folder) === realpathSync(store))) return []
  return [jsonFolder(folder)]
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
