import { readdirSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

/**
 * Where opencode keeps its history: its data folder, `$XDG_DATA_HOME/opencode`, by default below `~/.local/share`, where that has a
 * database, else the `storage` in it.
 */
export function defaultDirectory(): string {
  const data = join(process.env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "opencode")
  return hasDatabase(data) ? data : join(data, "storage")
}

function hasDatabase(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => /^opencode.*\.db$/.test(name))
  } catch {
    // What keeps it from being looked at is told when the store is read.
    return false
  }
}
