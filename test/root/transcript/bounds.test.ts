import { describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { dirname, join } from "node:path"
import { openStore, type RootProvider, type Store } from "../../../src/index.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { all } from "../../support/records.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"
import { meta, SESSION, said } from "./codex-transcripts.ts"
import { HEADER } from "./gemini-cli-lines.ts"

const LONG = `long ${"zebra ".repeat(40_000)}`
const LOW = 100_000
const HIGH = 1_000_000

/** A transcript of three messages, the second of which is too large under the low bound. */
const FORMS: Record<
  string,
  { path: string; text: string; line: number; root: (place: string) => RootProvider }
> = {
  "a line": {
    path: `sessions/2026/11/01/rollout-2026-11-01T08-00-00-${SESSION}.jsonl`,
    text: [meta(), said("first"), said(LONG), said("last")]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
    line: 3,
    root: (place) => transcriptRoot(codex, place),
  },
  "a last line without an end": {
    path: `sessions/2026/11/01/rollout-2026-11-01T08-00-00-${SESSION}.jsonl`,
    text: [meta(), said("first"), said("last"), said(LONG)].map((line) => JSON.stringify(line)).join("\n"),
    line: 4,
    root: (place) => transcriptRoot(codex, place),
  },
  "an element": {
    path: "tmp/app/chats/session-2026-11-01T00-00-5e551000.json",
    text: JSON.stringify(
      {
        ...HEADER,
        messages: ["first", LONG, "last"].map((content, at) => ({
          id: `m${at}`,
          type: "user",
          timestamp: `2026-11-01T00:00:0${at}.000Z`,
          content,
        })),
      },
      undefined,
      2,
    ),
    line: 14,
    root: (place) => transcriptRoot(geminiCli, place),
  },
}

async function told(store: Store): Promise<string[]> {
  return (await all(store.problems())).map(({ path, code, line }) => `${code} ${path}:${line}`)
}

async function lengths(store: Store): Promise<number[]> {
  const found: number[] = []
  for await (const { id } of store.sessions.list())
    for await (const { parts } of store.messages.stream(id))
      for (const part of parts)
        found.push("text" in part && typeof part.text === "string" ? part.text.length : 0)
  return found
}

describe("what is too large is so under the bound of whoever reads", () => {
  for (const [form, { path, text, line, root }] of Object.entries(FORMS))
    test(form, async () => {
      const place = join(tempFolder(), "home")
      const file = join(place, path)
      fs.mkdirSync(dirname(file), { recursive: true })
      fs.writeFileSync(file, text)
      await untilProven()
      const options = { directory: tempFolder(), indexPath: tempFolder(), backgroundIndex: false }
      for (const bound of [LOW, HIGH, LOW, HIGH]) {
        await using store = await openStore({ ...options, maxRecordBytes: bound, roots: [root(place)] })
        const isLow = bound === LOW
        expect(await lengths(store)).toHaveLength(isLow ? 2 : 3)
        expect(await told(store)).toHaveLength(isLow ? 1 : 0)
        if (isLow) expect((await told(store))[0]).toEndWith(` ${file}:${line}`)
        expect(await all(store.search("zebra", { in: "text" }))).toHaveLength(isLow ? 0 : 1)
        expect((await store.verify()).differences).toEqual([])
      }
    })
})
