import { expect, test } from "bun:test"
import { openStore, type SearchHit, type Store } from "../../src/index.ts"
import { all, message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

/** More messages than are looked through before the index is asked. */
const MESSAGES = 300
/** Texts with stretches that hardly any has, old messages' among them, where they lie within and at the ends of texts. */
const RARE = new Map([
  [0, "qz"],
  [1, "it ends with qz"],
  [2, "qz begins it"],
  [3, "in the qzmiddle"],
  [4, "beside éqz"],
  [5, "qzé"],
  [6, "Qz"],
  [7, "全文搜索"],
  [8, "搜索"],
  [9, "搜索 with more"],
  [10, "~"],
  [11, "a~"],
  [12, "🙂"],
])

function fill(directory: string): void {
  put(directory, "session/proj/ses_1.json", session("ses_1"))
  for (let m = 0; m < MESSAGES; m++) {
    const id = `msg_${String(m).padStart(3, "0")}`
    put(directory, `message/ses_1/${id}.json`, message(id, "ses_1", 1_700_000_000_000 + m * 1_000))
    const text = RARE.get(m) ?? `Message ${m} tells of nothing`
    put(directory, `part/${id}/prt_${m}.json`, part(`prt_${m}`, id, text))
  }
}

test("words of one or two letters are found in old messages too, wherever they stand", async () => {
  const directory = tempFolder()
  fill(directory)
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  const found = async (store: Store, query: string): Promise<(string | undefined)[]> =>
    (await all<SearchHit>(store.search(query, { in: "text" }))).map((hit) =>
      hit.kind === "text" ? hit.messageID : undefined,
    )
  for (const query of ["qz", "搜索", "索", "~", "🙂", "é", "qz é", "wi it", "of", "xx"]) {
    const words = query.split(" ")
    const expected = Array.from({ length: MESSAGES }, (_, m) => m)
      .filter((m) => {
        const text = (RARE.get(m) ?? `Message ${m} tells of nothing`).toLowerCase()
        return words.every((word) => text.includes(word))
      })
      .map((m) => `msg_${String(m).padStart(3, "0")}`)
      .reverse()
    expect({ query, found: (await found(store, query)).slice(0, 50) }).toEqual({
      query,
      found: expected.slice(0, 50),
    })
  }
  expect(await store.verify()).toMatchObject({ ok: true })
})
