import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { opencodeDatabase, openStore, type Store } from "../../../src/index.ts"
import { Random } from "../../support/random.ts"
import { tempFolder } from "../../support/temp.ts"
import { databaseOf, messageRow, partRow, SCHEMA_1_2, sessionRow } from "./support.ts"

const WORDS = ["zebra", "quagga", "okapi", "tapir"]

/** A store with an index that lasts, and nothing of its own. */
function open(path: string, indexPath: string): Promise<Store> {
  const directory = join(indexPath, "store")
  return openStore({ directory, indexPath, backgroundIndex: false, roots: [opencodeDatabase(path)] })
}

async function found(store: Store, query: string): Promise<string[]> {
  const hits = await Array.fromAsync(store.search(query, { in: "text" }))
  return hits.map(({ messageID = "" }) => messageID).sort()
}

function run(path: string, ...statements: string[]): void {
  const db = new Database(path)
  for (const statement of statements) db.run(statement)
  db.close()
}

function text(value: string): string {
  return JSON.stringify({ type: "text", text: value })
}

const TWO = `${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${sessionRow({ id: "ses_2" })}
  ${messageRow("msg_1", "ses_1", 1)} ${messageRow("msg_2", "ses_2", 2)}
  ${partRow("prt_1", "msg_1", "ses_1", text("a zebra"))} ${partRow("prt_2", "msg_2", "ses_2", text("a quagga"))}`

test("texts are found by the index, which lasts, and what changed is put into it anew", async () => {
  const path = databaseOf(TWO)
  const indexPath = tempFolder()
  {
    await using store = await open(path, indexPath)
    expect(await found(store, "zebra")).toEqual(["msg_1"])
    expect(store.health().alsoReading[0]?.index.state).toBe("ready")
  }
  // What no stamp tells of is not looked for: the index was asked.
  run(path, `UPDATE part SET data = '${text("an okapi")}' WHERE id = 'prt_1'`)
  {
    await using store = await open(path, indexPath)
    expect(await found(store, "okapi")).toEqual([])
    expect(await found(store, "zebra")).toEqual([])
    run(path, "UPDATE part SET time_updated = 2 WHERE id = 'prt_1'")
    expect(await found(store, "okapi")).toEqual(["msg_1"])
    run(path, partRow("prt_3", "msg_2", "ses_2", text("one more okapi")))
    expect(await found(store, "okapi")).toEqual(["msg_1", "msg_2"])
    run(path, "DELETE FROM part WHERE id = 'prt_3'")
    expect(await found(store, "okapi")).toEqual(["msg_1"])
    run(path, messageRow("msg_3", "ses_1", 3), partRow("prt_4", "msg_3", "ses_1", text("okapi, again")))
    expect(await found(store, "okapi")).toEqual(["msg_1", "msg_3"])
    run(path, "DELETE FROM part WHERE message_id = 'msg_1'", "DELETE FROM message WHERE id = 'msg_1'")
    expect(await found(store, "okapi")).toEqual(["msg_3"])
    run(path, "DELETE FROM part", "DELETE FROM message", "DELETE FROM session WHERE id = 'ses_1'")
    for (const word of WORDS) expect(await found(store, word)).toEqual([])
    expect((await store.rebuild()).sessions).toBe(1)
  }
})

test("what is changed twice within a millisecond is found as it is now", async () => {
  const path = databaseOf(TWO)
  await using store = await open(path, tempFolder())
  const now = Date.now()
  for (const word of [...WORDS, ...WORDS]) {
    run(path, `UPDATE part SET data = '${text(`now a ${word}`)}', time_updated = ${now} WHERE id = 'prt_1'`)
    expect(await found(store, `now ${word}`)).toEqual(["msg_1"])
  }
})

test("random changes are found by every search, with an index, without one, and with one of noise", async () => {
  const path = databaseOf(TWO)
  const indexed = tempFolder()
  const noise = tempFolder()
  await using one = await open(path, indexed)
  await using none = await openStore({
    directory: join(tempFolder(), "store"),
    backgroundIndex: false,
    roots: [opencodeDatabase(path)],
  })
  await using other = await open(path, noise)
  const random = new Random(5)
  const texts = new Map<string, string>()
  run(path, "DELETE FROM part", "DELETE FROM message")
  let part = 0
  for (let step = 1; step <= 30; step++) {
    const session = random.pick(["ses_1", "ses_2"])
    const message = `msg_${session}_${random.below(6)}`
    const word = random.pick(WORDS)
    run(
      path,
      `DELETE FROM part WHERE message_id = '${message}'`,
      `DELETE FROM message WHERE id = '${message}'`,
    )
    texts.delete(message)
    if (random.chance(0.8)) {
      run(
        path,
        messageRow(message, session, 1000 + random.below(3)),
        partRow(`prt_${part++}`, message, session, text(word)),
        `UPDATE part SET time_updated = ${1000 + step}`,
      )
      texts.set(message, word)
    }
    if (step === 12)
      for (const name of fs.readdirSync(noise, { recursive: true, encoding: "utf8" }))
        if (name.endsWith(".sqlite")) fs.writeFileSync(join(noise, name), "noise")
    if (step % 3 > 0) continue
    for (const store of [one, none, other]) {
      const wanted = [...texts].filter(([, is]) => is === word).map(([id]) => id)
      expect({ step, found: await found(store, word) }).toEqual({ step, found: wanted.sort() })
    }
  }
})

test("where the database is locked while it is indexed, other roots answer, and what it has is found later", async () => {
  const path = databaseOf(TWO)
  await using store = await open(path, tempFolder())
  const other = new Database(path)
  other.run("BEGIN EXCLUSIVE")
  other.run("UPDATE message SET time_updated = 9")
  expect(await found(store, "zebra")).toEqual([])
  other.run("COMMIT")
  other.close()
  expect(await found(store, "zebra")).toEqual(["msg_1"])
})
