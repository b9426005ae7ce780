import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../../../src/index.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { transcriptRoot } from "../../../src/root/transcript/transcript-root.ts"
import type { DifferenceKind } from "../../../src/root/verify-result.ts"
import { tempFolder, untilProven } from "../../support/temp.ts"
import { meta, SESSION, said } from "./codex-transcripts.ts"

/** A store that has indexed a transcript of two messages, and where its index lies. */
async function indexed() {
  const place = join(tempFolder(), "home")
  const folder = join(place, "sessions/2026/11/29")
  mkdirSync(folder, { recursive: true })
  const lines = [meta(), said("a zebra", { id: "one" }), said("a quagga", { id: "two" })]
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("")
  writeFileSync(join(folder, `rollout-2026-11-29T08-00-00-${SESSION}.jsonl`), text)
  await untilProven()
  const store = await openStore({
    directory: tempFolder(),
    indexPath: tempFolder(),
    backgroundIndex: false,
    roots: [transcriptRoot(codex, place)],
  })
  await store.index()
  const index = store.health().alsoReading[0]?.index.path ?? ""
  return { store, index, [Symbol.asyncDispose]: () => store.close() }
}

const ONE = `${SESSION}~one`
const ROW = `(select row from messages where id = '${ONE}')`

test("an index that was just made agrees with the transcripts", async () => {
  await using opened = await indexed()
  const { ok, differences, checked } = await opened.store.verify()
  expect({ ok, differences, checked }).toEqual({
    ok: true,
    differences: [],
    checked: { sessions: 1, messages: 2, parts: 2 },
  })
})

test.each<[string, string, DifferenceKind, string]>([
  ["a title", "update sessions set title = 'x', folded = 'x'", "wrong", SESSION],
  ["a time of a session", "update sessions set updated = 5", "wrong", SESSION],
  ["a body", `update sessions set body = '{"id":"x"}'`, "wrong", SESSION],
  ["a session that is missing", "delete from sessions", "unindexed", SESSION],
  [
    "a session too many",
    `insert into sessions (directory, id, stamp, size, problem, problemMessage, project, created, updated, parent, worktree, title,
      folded, archived, body)
      select directory, 'ses_x', stamp, size, problem, problemMessage, project, created, updated, parent, worktree, title, folded,
      archived, body from sessions`,
    "gone",
    "ses_x",
  ],
  ["a time", `update messages set created = 5000 where id = '${ONE}'`, "wrong", ONE],
  ["who speaks", `update messages set role = 'assistant' where id = '${ONE}'`, "wrong", ONE],
  ["a row that is missing", `delete from messages where id = '${ONE}'`, "unindexed", ONE],
  ["where lines lie", `update message_places set place = '{}' where id = '${ONE}'`, "wrong", ONE],
  ["a place that is missing", `delete from message_places where id = '${ONE}'`, "unindexed", ONE],
  ["a place too many", "update message_places set id = id || 'x' where id like '%two'", "gone", "twox"],
  ["a count", "update directories set entries = 9 where kind = 'message'", "wrong", SESSION],
  ["a text that is not found", `delete from documents where message = ${ROW}`, "wrong", ONE],
  ["a document of none", "insert into texts (rowid, tokens) values (77, 'éé')", "integrity", ".sqlite"],
])(
  "%s that differs is told of, nothing is changed, and repair mends it",
  async (_, statement, kind, place) => {
    await using opened = await indexed()
    const { store, index } = opened
    const db = new Database(index)
    db.run(statement)
    db.close()
    for (const _ of ["once", "again"]) {
      const { ok, differences } = await store.verify()
      expect(ok).toBe(false)
      expect(differences.filter((one) => one.kind === kind && one.path.endsWith(place))).not.toEqual([])
    }
    expect((await store.verify({ repair: true })).ok).toBe(true)
    expect((await store.verify()).differences).toEqual([])
    const hits = await Array.fromAsync(store.search("zebra", { in: "text" }))
    expect(hits.map(({ messageID }) => messageID)).toEqual([ONE])
  },
)
