import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync } from "node:fs"
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

/** More than the clock's granularity, in ms. */
const A_WHILE_MS = 110

/**
 * Makes histories old but for one transcript in each place, as they are where agents were used for longer than a moment: what was
 * written in one moment proves nothing where no clock can be asked, and is read again by every question.
 */
function grownOld(...places: readonly string[]): void {
  Bun.sleepSync(A_WHILE_MS)
  for (const place of places) {
    const [newest = ""] = readdirSync(place, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".jsonl"))
      .sort()
    chmodSync(join(place, newest), 0o644)
  }
}

/** A home with the histories of all agents where they keep them by default; opencode's in a database alone. */
export function homeOfAll(home = emptyHome()): Home {
  mkdirSync(opencodeOf(home), { recursive: true })
  copyFileSync(join(treePath("opencode-1.18.34"), "opencode.db"), join(opencodeOf(home), "opencode.db"))
  grownOld(
    copyOfTranscripts("claude-code", join(home.home, ".claude")),
    copyOfTranscripts("codex", join(home.home, ".codex")),
    copyOfTranscripts("gemini-cli", join(home.home, ".gemini")),
  )
  return home
}
