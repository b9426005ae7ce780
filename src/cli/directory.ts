import { homedir } from "node:os"
import { join } from "node:path"

/** Where opencode keeps its history: `$XDG_DATA_HOME/opencode/storage`, by default below `~/.local/share`. */
export function defaultDirectory(): string {
  const data = process.env.XDG_DATA_HOME || join(homedir(), ".local", "share")
  return join(data, "opencode", "storage")
}
