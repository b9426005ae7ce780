import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore, type Store } from "../../src/index.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

const open = (directory: string): Promise<Store> => openStore({ directory, backgroundIndex: false })

const TITLES = [
  "fix parser",
  "Fix: parser",
  "a\u0000nul",
  "🙂🙂🙂 漢字 ǰ\u0301",
  'quoted "title" AND NEAR(',
  "ab",
  undefined,
]

/** An indexed store of odd titles and of messages, `needle7` in that of message 7, with every stamp proven. */
async function indexed(): Promise<string> {
  const directory = tempFolder()
  for (const [i, title] of TITLES.entries())
    put(directory, `session/p/ses_${i}.json`, { ...session(`ses_${i}`), title })
  for (let m = 0; m < 12; m++) {
    put(directory, `message/ses_${m % 3}/msg_${m}.json`, message(`msg_${m}`, `ses_${m % 3}`, m * 1000))
    if (m !== 11)
      put(directory, `part/msg_${m}/prt_1.json`, part("prt_1", `msg_${m}`, `needle${m} 漢字\ufeff`))
  }
  put(directory, "part/msg_5/prt_2.json", part("prt_2", "msg_5", "x"))
  await untilProven()
  await using store = await open(directory)
  await store.index()
  return directory
}

/** Changes the index behind the store's back; `<title 1>` is the row of the session ses_1, `<text 1>` the document of msg_1. */
function tamper(directory: string, ...statements: string[]): void {
  const database = new Database(join(directory, INDEX))
  for (const statement of statements)
    database.run(
      statement
        .replace(/<title (\d)>/g, "(select row from sessions where id = 'ses_$1')")
        .replace(
          /<text (\d+)>/g,
          "(select documents.id from documents join messages on row = message where messages.id = 'msg_$1')",
        ),
    )
  database.close()
}

const title = (i: number): [string, string] => ["wrong", `session/p/ses_${i}.json`]
const text = (m: number): [string, string] => ["wrong", `message/ses_${m % 3}/msg_${m}.json`]
const TABLE: [string, string] = ["integrity", INDEX]

test.each<[string, string[], [string, string][]]>([
  [
    "a title that is not found any more",
    ["insert into titles (titles, rowid, folded) values ('delete', <title 1>, 'fix: parser')"],
    [title(1)],
  ],
  [
    "a title that is found by more than it says",
    ["insert into titles (rowid, folded) values (<title 5>, 'something else')"],
    [title(5)],
  ],
  [
    "a title that is found without being there",
    ["insert into titles (rowid, folded) values (<title 6>, 'untitled'), (999, 'ghost')"],
    [TABLE],
  ],
  [
    "a text that is not found any more, with its document",
    ["delete from documents where id = <text 7>"],
    [text(7)],
  ],
  ["a text that is not found any more", ["delete from texts where rowid = <text 7>"], [text(7)]],
  [
    "a text that is found by more than it says",
    ["insert into texts (rowid, tokens) values (<text 2>, 'more')"],
    [text(2)],
  ],
  [
    "a text that is found without being there",
    ["insert into documents select 9999, row from messages where id = 'msg_11'"],
    [text(11)],
  ],
  ["a text of nothing", ["insert into texts (rowid, tokens) values (777, 'ghost')"], [TABLE]],
  [
    "texts that were taken for each other",
    [
      "create table swapped as select <text 3> as three, <text 4> as four",
      "update documents set id = 5000 where id = (select three from swapped)",
      "update documents set id = (select three from swapped) where id = (select four from swapped)",
      "update documents set id = (select four from swapped) where id = 5000",
    ],
    [text(3), text(4)],
  ],
])("verify names %s, and repair mends it", async (_, statements, expected) => {
  const directory = await indexed()
  await using store = await open(directory)
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  tamper(directory, ...statements)
  for (const options of [{}, { repair: true }]) {
    const { ok, differences } = await store.verify(options)
    expect(differences.map(({ path, kind }) => [kind, path.slice(directory.length + 1)])).toEqual(expected)
    expect(ok).toBe("repair" in options)
  }
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
  expect(await all(store.sessions.ids({ search: "parser" }))).toEqual(["ses_1", "ses_0"])
  const hits = await all(store.search("needle7"))
  expect(hits.map(({ messageID }) => messageID)).toEqual(["msg_7"])
})

test("rebuild fills the full-text tables anew", async () => {
  const directory = await indexed()
  await using store = await open(directory)
  tamper(
    directory,
    "insert into titles (titles, rowid, folded) values ('delete', <title 1>, 'fix: parser')",
    "insert into titles (rowid, folded) values (999, 'ghost')",
    "insert into texts (rowid, tokens) values (777, 'ghost')",
    "delete from texts where rowid = <text 7>",
  )
  await store.rebuild()
  await store.index()
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
})

test("texts that are only behind their files are no difference, nor is what a search finds all the same", async () => {
  const directory = await indexed()
  put(directory, "part/msg_7/prt_1.json", part("prt_1", "msg_7", "changed by another program"))
  put(directory, "part/msg_8/prt_2.json", part("prt_2", "msg_8", "added by another program"))
  await using store = await open(directory)
  await store.parts.write(part("prt_3", "msg_9", "written by us"))
  const { differences } = await store.verify()
  // Of a part no column says what its text is; its stamp does.
  const path = join(directory, "part/msg_8/prt_2.json")
  expect(differences).toEqual([{ path, kind: "unindexed" }])
})

test("rows whose owner is gone are damage", async () => {
  const directory = await indexed()
  tamper(directory, "update sessions set directory = 999 where id = 'ses_1'")
  await using store = await open(directory)
  const { ok, differences } = await store.verify({ repair: true })
  expect(differences[0]).toEqual({ path: join(directory, INDEX), kind: "integrity" })
  expect(ok).toBe(true)
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
})

test("texts that another process merged since a store searched them last are no damage", async () => {
  const directory = await indexed()
  const grown = async (n: number): Promise<void> => {
    await using other = await open(directory)
    put(directory, `part/msg_11/prt_${n}.json`, part(`prt_${n}`, "msg_11", `another${n}`))
    await untilProven()
    await other.index()
  }
  await grown(1)
  await using store = await open(directory)
  expect(await Array.fromAsync(store.search("needle3", { in: "text" }))).toHaveLength(1)
  await grown(2)
  for (const table of ["texts", "titles"])
    tamper(directory, `insert into ${table} (${table}) values ('optimize')`)
  expect(await store.verify()).toMatchObject({ ok: true, differences: [] })
})
