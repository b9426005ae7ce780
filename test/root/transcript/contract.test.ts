import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TranscriptAgent } from "../../../src/root/transcript/agent.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { rootContract } from "../../../src/testing/index.ts"
import { overNoise } from "../over-noise.ts"
import { historyOfPlace } from "./place-parse.ts"

const FIXTURES = join(import.meta.dir, "../../fixtures")

for (const agent of [claudeCode, codex, geminiCli]) {
  rootContract(`transcripts of ${agent.source}`, () =>
    subject(agent, (place) => transcriptRoot(agent, place)),
  )
  rootContract(`transcripts of ${agent.source} without an index`, () =>
    subject(agent, (place) => {
      const root = transcriptRoot(agent, place, { filesOnly: true })
      return {
        place,
        open(context) {
          // Beside an index the device's clock is asked, so that what is old is not opened at each question.
          if (context.indexFolder !== undefined) mkdirSync(context.indexFolder, { recursive: true })
          return root.open(context)
        },
      }
    }),
  )
  rootContract(`transcripts of ${agent.source} with an index of noise`, () =>
    subject(agent, (place) => overNoise(transcriptRoot(agent, place))),
  )
}

function subject(agent: TranscriptAgent, wrap: (place: string) => ReturnType<typeof transcriptRoot>) {
  const folder = mkdtempSync(join(tmpdir(), "sessiondex-transcripts-"))
  const place = join(folder, "home")
  cpSync(join(FIXTURES, agent.source), place, { recursive: true })
  return {
    root: wrap(place),
    holds: historyOfPlace(agent, place),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
