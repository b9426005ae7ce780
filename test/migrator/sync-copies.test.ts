import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { packStamp } from "../../src/file/stamp.ts"
import { fileSystem } from "../../src/file/system.ts"
import { createId, openStore } from "../../src/index.ts"
import { all, message, session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"
import { INDEX } from "../support/variants.ts"

/** Renames a record to a copy, and makes the rows of the index as if that had been read as a record under all its stamps. */
function asIfARecord(
  directory: string,
  kind: "session" | "message",
  folder: string,
  id: string,
  copy: string,
) {
  const place = join(directory, kind, folder)
  fs.renameSync(join(place, `${id}.json`), join(place, `${copy}.json`))
  const database = new Database(join(directory, INDEX))
  const stat = fileSystem.lstat(join(place, `${copy}.json`))
  const above = fileSystem.lstat(place)
  if (!stat || !above) throw new Error("They are there")
  database.run(`update ${kind}s set id = ?, stamp = ? where id = ?`, [copy, packStamp(stat, true), id])
  database.run("update directories set stamp = ?, size = ? where kind = ? and name = ?", [
    packStamp(above, true),
    above.size,
    kind,
    folder,
  ])
  database.close()
}

test("an index that was made when copies of synchronisers were taken for records is mended by the next look", async () => {
  const directory = tempFolder()
  const id = createId("session")
  put(directory, `session/proj/${id}.json`, session(id, { title: "needle" }))
  put(directory, "session/proj/ses_other.json", session("ses_other", { title: "needle" }))
  for (const name of ["msg_1", "msg_2"]) put(directory, `message/${id}/${name}.json`, message(name, id, 1))
  await untilProven()
  {
    await using store = await openStore({ directory, backgroundIndex: false })
    await store.index()
  }
  const mark = ".sync-conflict-20260101-120000-ABCDEFG"
  asIfARecord(directory, "session", "proj", "ses_other", `${id}${mark}`)
  asIfARecord(directory, "message", id, "msg_2", `msg_1${mark}`)
  await untilProven()
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await all(store.sessions.ids())).toEqual([id])
  expect(await all(store.messages.ids(id))).toEqual(["msg_1"])
  expect(await store.messages.count(id)).toBe(1)
  expect((await all(store.search("needle"))).map(({ sessionID }) => sessionID)).toEqual([id])
  expect(await store.index()).toMatchObject({
    sessions: 1,
    messages: 1,
    unreadable: [{ code: "CONFLICT" }, { code: "CONFLICT" }],
  })
  expect(await store.verify()).toMatchObject({ ok: true, checked: { sessions: 1, messages: 1 } })
})
