import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { appendFileSync } from "node:fs"
import { openStore, transcripts } from "../../../src/index.ts"
import { copyOfTranscripts } from "../../support/home.ts"
import { all } from "../../support/records.ts"
import { put, tempFolder } from "../../support/temp.ts"

const ID = "01a21904-02f1-7240-a1e1-000000000001"
const ROLLOUT = `sessions/2026/11/01/rollout-2026-11-01T00-00-00-${ID}.jsonl`
const AT = "2026-11-01T00:00:00.000Z"

function said(text: string): string {
  const payload = { type: "message", role: "user", content: [{ type: "input_text", text }] }
  return `${JSON.stringify({ timestamp: AT, type: "response_item", payload })}\n`
}

// A search of texts waits too, as long as it is told to.
test("while another process writes to the index, indexing waits for it and no look at the files does", async () => {
  const place = copyOfTranscripts("codex")
  const directory = tempFolder()
  const roots = [transcripts("codex", place)]
  await using store = await openStore({ directory, indexPath: tempFolder(), roots, backgroundIndex: false })
  await store.index()
  const before = await all(store.sessions.ids())
  const { path = "" } = store.health().alsoReading[0]?.index ?? {}
  using other = new Database(path)
  other.run("begin immediate")
  const meta = { id: ID, timestamp: AT, cwd: "/home/dev/app", cli_version: "0.130.0" }
  const file = put(
    place,
    ROLLOUT,
    `${JSON.stringify({ timestamp: AT, type: "session_meta", payload: meta })}\n${said("the first needle")}`,
  )
  const look = async () => ({
    ids: (await all(store.sessions.ids())).sort(),
    page: (await store.sessions.page({ limit: 100 })).items.length,
    count: await store.sessions.count(),
    title: (await store.sessions.get(ID))?.title,
    messages: await store.messages.count(ID),
    titles: (await all(store.search("needle", { in: "title" }))).length,
  })
  const ids = [...before, ID].sort()
  const truth = {
    ids,
    page: ids.length,
    count: ids.length,
    title: "the first needle",
    messages: 1,
    titles: 1,
  }
  expect(await look()).toEqual(truth)
  let isIndexed = false
  const indexing = store.index().then((result) => {
    isIndexed = true
    return result
  })
  appendFileSync(file, said("and a second needle"))
  expect(await look()).toEqual({ ...truth, messages: 2 })
  expect(isIndexed).toBe(false)
  other.run("rollback")
  expect(await indexing).toMatchObject({ sessions: ids.length })
  expect(await look()).toEqual({ ...truth, messages: 2 })
  expect(await all(store.search("needle", { in: "text" }))).toHaveLength(2)
  expect(await store.verify()).toMatchObject({ ok: true })
})
