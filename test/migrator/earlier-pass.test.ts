import { expect, test } from "bun:test"
import { SqliteIndex } from "../../src/database/sqlite-index.ts"
import { DeviceClock } from "../../src/file/clock.ts"
import { fileSystem } from "../../src/file/system.ts"
import { silentLogger } from "../../src/logger.ts"
import { placeName, type Reconciler, reconcile } from "../../src/migrator/reconcile.ts"
import type { Place } from "../../src/record/kind.ts"
import { put, tempFolder } from "../support/temp.ts"

const PLACE: Place = { kind: "message", folder: "ses_1" }
const UNKNOWN = { stamp: null, size: 0, entries: 0 }

test("an earlier pass proves nothing of a row that another process has made anew meanwhile, at the same generation", async () => {
  const directory = tempFolder()
  put(directory, "message/ses_1/msg_1.json", { role: "user", time: { created: 1 } })
  const index = new SqliteIndex({ folder: tempFolder(), cacheBytes: 1 << 20, logger: silentLogger })
  const within: Reconciler = {
    fs: fileSystem,
    directory,
    index,
    // Without a probe no stamp is ever proven, so that only an earlier pass can prove something.
    clock: new DeviceClock(fileSystem, undefined),
    maxRecordBytes: 1 << 20,
    readOnly: true,
  }
  const [first] = await reconcile(within, [PLACE])
  if (!first?.row) throw new Error("The folder has no row")
  const { id, generation } = first.row
  await index.write((statements) => {
    const [row] = statements.message.rows(id, "", 1)
    statements.directories.remove(id)
    let other = statements.directories.create(PLACE)
    while (other.generation < generation) other = statements.directories.change(other, UNKNOWN)
    statements.message.put([{ ...row, directory: other.id, role: "assistant" }])
  })
  const [second] = await reconcile(within, [PLACE], { earlier: new Map([[placeName(PLACE), first]]) })
  const row = second?.row
  const rows = await index.read((statements) => statements.message.rows(row?.id ?? 0, "", 1))
  index.close()
  expect(second?.clean).toBe(false)
  expect(rows[0]?.role).toBe("user")
})
