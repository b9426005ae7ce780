import { expect, test } from "bun:test"
import { fold } from "../record/fold.ts"
import { cleanText, messageTexts, partTexts } from "../record/search-text.ts"
import { counting, type HeldRecord, type History, partsOf } from "./history.ts"
import type { Opened } from "./opened.ts"

/** Words tried, taken from all over the texts. */
const WORDS = 24

/** Substrings of what there is: of one, two, three and more letters, from within words too. */
function samples(texts: readonly string[]): string[] {
  const folded = texts.map((text) => fold(text)).filter((text) => text.trim() !== "")
  const found = new Set<string>(["no such text anywhere"])
  for (let n = 0; n < WORDS && folded.length > 0; n++) {
    const text = folded[(n * 7919) % folded.length] ?? ""
    const from = (n * 104_729) % text.length
    const sample = text.slice(from, from + 1 + (n % 9)).trim()
    // Quotes and a leading minus mean something in a query, and half a letter is none.
    if (sample !== "" && sample.isWellFormed() && !/["\s\0]|^-/u.test(sample)) found.add(sample)
  }
  return [...found]
}

/** The plainest search: which messages hold a folded text. */
function holding(history: History, query: string): string[] {
  const texts = ({ id, body }: HeldRecord): string[] => [
    ...messageTexts(body),
    ...partsOf(history, id).flatMap((part) => partTexts(part)),
  ]
  return history.messages
    .filter((message) => texts(message).some((text) => fold(text).includes(query)))
    .map(({ folder, id }) => `${folder}/${id}`)
    .sort()
}

/** Searching a root's titles and texts. For `rootContract`. */
export function textContract(opened: () => Opened): void {
  test("every substring of every text is found, and nothing else", async () => {
    const { store, holds } = opened()
    const texts = [
      ...holds.parts.flatMap(({ body }) => partTexts(body)),
      ...holds.messages.flatMap(({ body }) => messageTexts(body)),
    ]
    for (const query of samples(texts)) {
      const hits = await Array.fromAsync(store.search(query, { in: "text", limit: 100_000 }))
      expect({ query, hits: hits.map((hit) => `${hit.sessionID}/${hit.messageID}`).sort() }).toEqual({
        query,
        hits: holding(holds, query),
      })
      const times = hits.map(({ time }) => time)
      expect(times).toEqual(times.toSorted((a, b) => b - a))
    }
  })

  test("every substring of every title is found, and nothing else", async () => {
    const { store, holds } = opened()
    const listed = counting(holds.sessions)
    const titleOf = ({ body }: HeldRecord): string => (typeof body.title === "string" ? body.title : "")
    for (const query of samples(listed.map((session) => cleanText(titleOf(session))))) {
      const expected = listed.filter((session) => fold(titleOf(session)).includes(query)).map(({ id }) => id)
      const hits = await Array.fromAsync(store.search(query, { in: "title", limit: 100_000 }))
      expect({ query, ids: hits.map(({ sessionID }) => sessionID).sort() }).toEqual({
        query,
        ids: expected.sort(),
      })
      expect(await store.sessions.count({ search: query })).toBe(expected.length)
    }
  })
}
