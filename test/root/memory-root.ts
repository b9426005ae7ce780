import { type RecordSource, type RootProvider, StoreError, scannedRoot } from "../../src/index.ts"
import type { HeldRecord, History } from "../../src/testing/index.ts"

const KINDS = { session: "sessions", message: "messages", part: "parts" } as const
type Kind = keyof typeof KINDS

/** A root of one's own, as an app would write it: records in memory, and nothing else. */
export function memoryRoot(place: string, history: History): RootProvider {
  return scannedRoot({ source: "memory", place, records: () => memoryRecords(place, history) })
}

function memoryRecords(place: string, history: History): RecordSource {
  const held = (kind: Kind): readonly HeldRecord[] => history[KINDS[kind]]
  const find = (kind: Kind, folder: string, id: string) =>
    held(kind).find((record) => record.folder === folder && record.id === id)?.body
  const sorted = (names: Iterable<string>) => [...new Set(names)].sort()
  const value = (key: readonly string[]): unknown => {
    const [kind = "", folder = "", id] = key
    const found =
      id === undefined
        ? history.plain?.[kind]?.[folder]
        : kind in KINDS
          ? find(kind as Kind, folder, id)
          : undefined
    if (found === undefined)
      throw new StoreError("NOT_FOUND", `There is no ${key.join("/")}`, { path: place })
    return found
  }
  return {
    folders: async (kind) => sorted(held(kind).map(({ folder }) => folder)),
    ids: async (kind, folder) => {
      const ids = held(kind).flatMap((record) => (record.folder === folder ? [record.id] : []))
      return kind === "part" ? ids : sorted(ids)
    },
    names: async (kind, folder) =>
      held(kind).flatMap((record) => (record.folder === folder ? [record.id] : [])),
    foldersOf: async (kind, id) =>
      sorted(held(kind).flatMap((record) => (record.id === id ? [record.folder] : []))),
    holds: async (kind, folder, id) => find(kind, folder, id) !== undefined,
    read: async (kind, folder, ids) => ids.map((id) => find(kind, folder, id)),
    get: async (kind, folder, id) => find(kind, folder, id),
    plainIds: async (kind) => sorted(Object.keys(history.plain?.[kind] ?? {})),
    readPlain: async (kind, id) => history.plain?.[kind]?.[id] as never,
    value: async (key) => value(key),
    text: async function* (key) {
      yield JSON.stringify(value(key))
    },
    version: async () => undefined,
    locate: (key) => `${place}#${key.join("/")}`,
  }
}
