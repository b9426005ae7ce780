import { expect, test } from "bun:test"
import { isStoreError, openStore, type RecordSource, StoreError, scannedRoot } from "../../../src/index.ts"
import { tempFolder } from "../../support/temp.ts"

const NESTED = JSON.parse(`${"[".repeat(60_000)}${"]".repeat(60_000)}`)

/** A root with one session, whose body is given by `session`. */
function recordsWith(session: () => Record<string, unknown>): RecordSource {
  const found = async (kind: string) => (kind === "session" ? session() : undefined)
  return {
    folders: async (kind) => (kind === "session" ? ["proj"] : []),
    ids: async (kind) => (kind === "session" ? ["ses_1"] : []),
    names: async (kind) => (kind === "session" ? ["ses_1"] : []),
    foldersOf: async () => ["proj"],
    holds: async () => true,
    read: async (kind, _, ids) => Promise.all(ids.map(() => found(kind))),
    get: async (kind) => found(kind),
    plainIds: async () => [],
    readPlain: async () => undefined,
    value: async () => session(),
    async *text() {},
    version: async () => undefined,
    locate: (key) => `memory#${key.join("/")}`,
  }
}

function storeWith(records: RecordSource) {
  return openStore({
    directory: tempFolder(),
    backgroundIndex: false,
    roots: [scannedRoot({ source: "memory", place: "/memory", records: () => records })],
  })
}

test("a system without descriptors is an error, and not a problem of a record", async () => {
  const exhausted = recordsWith(() => {
    throw new StoreError("EXHAUSTED", "No descriptors are left")
  })
  await using store = await storeWith(exhausted)
  const asked = Array.fromAsync(store.problems())
  expect(await asked.catch((error) => isStoreError(error, "EXHAUSTED"))).toBe(true)
})

test("a record nested deeper than the engine can write is counted", async () => {
  await using store = await storeWith(recordsWith(() => ({ id: "ses_1", nested: NESTED })))
  const { alsoRead } = await store.stats()
  expect(alsoRead[0]?.kinds).toEqual({
    session: { files: 1, bytes: 120_000 + '{"id":"ses_1","nested":}'.length },
  })
})
