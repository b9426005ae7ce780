import { copyFileSync, cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Home } from "../../src/index.ts"
import { tempFolder, treePath } from "./temp.ts"

const FIXTURES = join(import.meta.dir, "..", "fixtures")

/** A copy of the transcripts that an agent's releases wrote, in a folder of that name. */
export function copyOfTranscripts(source: string, place = join(tempFolder(), "home")): string {
  cpSync(join(FIXTURES, source), place, { recursive: true })
  return place
}

/** A home where nothing is yet. */
export function emptyHome(): Home {
  return { environment: {}, home: tempFolder(), platform: "linux" }
}

/** The folder of opencode's data in a home. */
export function opencodeOf({ home }: Home): string {
  return join(home, ".local", "share", "opencode")
}

/** A home with the histories of all agents where they keep them by default; opencode's in a database alone. */
export function homeOfAll(home = emptyHome()): Home {
  mkdirSync(opencodeOf(home), { recursive: true })
  copyFileSync(join(treePath("opencode-1.18.34"), "opencode.db"), join(opencodeOf(home), "opencode.db"))
  copyOfTranscripts("claude-code", join(home.home, ".claude"))
  copyOfTranscripts("codex", join(home.home, ".codex"))
  copyOfTranscripts("gemini-cli", join(home.home, ".gemini"))
  return home
}
