import { expect, test } from "bun:test"
import { SqliteIndex } from "../../src/database/sqlite-index.ts"
import type { Statements } from "../../src/database/statements.ts"
import type { Reconciler } from "../../src/migrator/reconcile.ts"
import { parseQuery } from "../../src/record/search-query.ts"
import { TrigramSet } from "../../src/record/trigrams.ts"
import { type CandidateSources, candidates } from "../../src/root/json/candidates.ts"
import { tempFolder } from "../support/temp.ts"

const MESSAGES = 4_000
const UNREAD = { stamp: null, problem: null, problemMessage: null }

/** Thousands of messages without a time, each with the word "common". */
function fill({ directories, message, texts }: Statements): void {
  const trigrams = new TrigramSet()
  trigrams.add("common", 0, 6)
  const tokens = trigrams.take()
  const { id: directory } = directories.create({ kind: "message", folder: "ses_1" })
  message.put(
    Array.from({ length: MESSAGES }, (_, i) => ({
      ...UNREAD,
      ...{ directory, id: `msg_${i}`, size: 0, created: 0, role: null, pending: 1 },
    })),
  )
  texts.put(texts.pending(undefined, MESSAGES).map((message) => ({ message, tokens })))
}

test("of thousands of messages of one second each comes once, in few looks, however often the index changes", async () => {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const index = new SqliteIndex({ folder: tempFolder(), cacheBytes: 1 << 20, logger })
  await index.write(fill)
  let looks = 0
  const changing = {
    database: undefined,
    read: async <T>(work: (statements: Statements) => T): Promise<T> => {
      looks++
      await index.write(({ directories }) => directories.create({ kind: "part", folder: `msg_${looks}` }))
      return index.read(work)
    },
  }
  const within = { index: changing as unknown as SqliteIndex } as Reconciler
  const sources = { within, indexed: true } as CandidateSources
  const ids: string[] = []
  for await (const { id } of candidates(sources, parseQuery("common"), {})) ids.push(id)
  expect(new Set(ids).size).toBe(MESSAGES)
  expect(ids).toHaveLength(MESSAGES)
  expect(looks).toBeGreaterThan(1)
  expect(looks).toBeLessThan(10)
  index.close()
})
