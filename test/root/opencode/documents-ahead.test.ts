import { expect, test } from "bun:test"
import { partsInOrder } from "../../../src/record/part-order.ts"
import { readDocument } from "../../../src/root/document.ts"
import { DocumentsAhead } from "../../../src/root/opencode/documents-ahead.ts"
import type { Kind } from "../../../src/root/opencode/folders.ts"
import { groupedDocument } from "../../../src/root/opencode/grouped-parts.ts"
import type { MessageDocument } from "../../../src/root/text-source.ts"
import { Random } from "../../support/random.ts"
import {
  databaseOf,
  fixtureDatabase,
  laterDatabase,
  messageIds,
  messageRow,
  partRow,
  readerOf,
  SCHEMA_1_2,
  sessionRow,
} from "./support.ts"

const MAX_BYTES = 900_000

async function whole(document: MessageDocument | undefined) {
  return document && { ...document, texts: await Array.fromAsync(document.texts) }
}

/** Messages of three sessions with few and many parts, small and large ones, some of which cannot be read. */
function mixedDatabase(): string {
  const random = new Random(3)
  const rows: string[] = []
  for (const session of ["ses_1", "ses_2", "ses_3"]) {
    rows.push(sessionRow({ id: session }))
    for (let m = 0; m < 20; m++) {
      const id = `msg_${session}_${m}`
      rows.push(messageRow(id, session, m, random.chance(0.1) ? "{" : undefined))
      for (let p = random.below(6); p > 0; p--) {
        const length = random.pick([1, 100, 10_000, 200_000, MAX_BYTES])
        const text = `${id} ${p} `.repeat(Math.ceil(length / 15))
        rows.push(
          partRow(`prt_${id}_${p}`, id, session, random.chance(0.1) ? "no JSON" : { type: "text", text }),
        )
      }
    }
  }
  return databaseOf(`${SCHEMA_1_2} ${rows.join("\n")}`)
}

test.each([
  ["one of 1.2", mixedDatabase],
  ["that of 1.18.34", fixtureDatabase],
  ["one of opencode 2", laterDatabase],
])("messages read ahead say what they say by themselves: %s", async (_, make) => {
  using opened = readerOf(make(), { maxRecordBytes: MAX_BYTES })
  const { reader } = opened
  const names: { session: string; id: string }[] = []
  for await (const sessions of reader.folders("message"))
    for (const session of sessions)
      for (const id of await messageIds(reader, session)) names.push({ session, id })
  names.sort(({ id: a }, { id: b }) => Bun.hash.xxHash32(a) - Bun.hash.xxHash32(b))
  names.push({ session: "ses_1", id: "msg_absent" })
  const ahead = new DocumentsAhead(reader)
  const records = {
    ids: async (kind: Kind, folder: string) => partsInOrder(await reader.ids(kind, folder)),
    read: (kind: Kind, folder: string, ids: readonly string[]) => reader.bodies(kind, folder, ids),
  }
  let spoken = 0
  for (let at = 0; at < names.length; at += 32) {
    const page = names.slice(at, at + 32)
    ahead.expect(page)
    for (const { session, id } of page) {
      const found = await whole(await ahead.document(session, id))
      expect(found).toEqual(await whole(await readDocument(records, session, id)))
      expect(await whole(await groupedDocument(reader, session, id))).toEqual(found)
      spoken += found?.texts.length ?? 0
    }
  }
  expect(spoken).toBeGreaterThan(10)
})

test("a run of messages takes no more than the bytes that were allowed", async () => {
  const text = "a".repeat(1_000)
  const rows = [1, 2, 3].map(
    (m) =>
      messageRow(`msg_${m}`, "ses_1", m) + partRow(`prt_${m}`, `msg_${m}`, "ses_1", { type: "text", text }),
  )
  using opened = readerOf(databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${rows.join("\n")}`))
  const names = [1, 2, 3].map((m) => ({ session: "ses_1", id: `msg_${m}` }))
  const run = async (bytes: number): Promise<(string | number)[]> =>
    (await opened.reader.messageRun(names, bytes)).flatMap(({ id, parts }) => [id, parts.length])
  expect(await run(500)).toEqual([])
  expect(await run(2_500)).toEqual(["msg_1", 1, "msg_2", 1])
  expect(await run(10_000)).toEqual(["msg_1", 1, "msg_2", 1, "msg_3", 1])
})
