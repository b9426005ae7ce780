import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../../src/index.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import { all } from "../../support/records.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"
import { meta, SESSION, said } from "./codex-transcripts.ts"

test("an indexing that is given up between any two of its steps is gone on with, and nothing is missing", async () => {
  const MESSAGES = 2_000
  const place = join(tempFolder(), "home")
  const folder = join(place, "sessions/2026/11/29")
  fs.mkdirSync(folder, { recursive: true })
  const lines = [meta(), ...Array.from({ length: MESSAGES }, (_, at) => said(`line ${at}`))]
  const path = join(folder, `rollout-2026-11-29T08-00-00-${SESSION}.jsonl`)
  fs.writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
  await untilProven()
  let givenUp = 0
  for (let turns = 1; ; turns++) {
    await using store = await openStore({
      directory: tempFolder(),
      indexPath: tempFolder(),
      backgroundIndex: false,
      roots: [transcriptRoot(codex, place)],
    })
    const abort = new AbortController()
    const listing = all(store.sessions.list({ signal: abort.signal })).then(
      () => false,
      () => true,
    )
    let isOver = false
    void listing.then(() => {
      isOver = true
    })
    for (let turn = 0; turn < turns && !isOver; turn++) await new Promise((resolve) => setImmediate(resolve))
    abort.abort(new Error("given up"))
    const isGivenUp = await listing
    if (isGivenUp) givenUp++
    expect(await store.messages.count(SESSION)).toBe(MESSAGES)
    expect((await store.verify()).differences).toEqual([])
    if (!isGivenUp) break
  }
  expect(givenUp).toBeGreaterThan(3)
}, 60_000)
