import type { SqliteIndex } from "../../database/sqlite-index.ts"
import { pendingMark } from "../../migrator/observation.ts"
import { patiently } from "../../migrator/patiently.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { StampedMessage } from "./changes.ts"
import type { OpencodeReader } from "./reader.ts"
import { PROVEN_AFTER_MS } from "./stamps.ts"

const ROWS_AT_ONCE = 256
const ALL = -1

/** How to sync. */
export interface SyncOptions {
  readonly signal?: AbortSignal | undefined
  readonly onYield?: (() => Promise<void>) | undefined
}

/**
 * Makes the index's rows of messages equal to those of the database, by their stamps. Messages that changed are marked as pending, so that
 * their texts are put anew. A session whose stamp is the remembered one is skipped. Stamps are taken before reading what they vouch for.
 * @throws IndexFailure; StoreError if the database cannot be read; the signal's reason
 */
export async function syncMessages(
  reader: OpencodeReader,
  index: SqliteIndex,
  { signal, onYield }: SyncOptions = {},
): Promise<void> {
  const slice = new TimeSlice(signal, onYield)
  const there = new Set<string>()
  for await (const run of reader.stamps(signal)) {
    const names = run.map(({ id }) => id)
    const known = await patiently(() => index.read((rows) => rows.directories.findAll("message", names)))
    const stamps = new Map(known.map(({ name, stamp }) => [name, stamp]))
    for (const { id, stamp } of run) {
      await slice.pass()
      there.add(id)
      const bytes = Buffer.from(stamp)
      if (!equal(stamps.get(id), bytes)) await syncSession(reader, index, id, bytes, slice, signal)
    }
  }
  for (const kind of ["message", "part"] as const) await removeGone(index, kind, there, slice)
}

async function syncSession(
  reader: OpencodeReader,
  index: SqliteIndex,
  session: string,
  stamp: Uint8Array,
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<void> {
  const place = { kind: "message", folder: session } as const
  const { directory, known } = await patiently(() =>
    index.write(({ directories, message }) => {
      const directory = (directories.find(place) ?? directories.create(place)).id
      const known = new Map(message.stamps(directory, "", ALL).map((row) => [row.id, row.stamp]))
      return { directory, known }
    }),
  )
  let isProven = true
  let entries = 0
  const before = Date.now()
  for await (const run of reader.messageStamps(session, signal)) {
    await slice.turn()
    const rows = run.flatMap((message) => {
      const bytes = before - message.newest >= PROVEN_AFTER_MS ? Buffer.from(message.stamp) : null
      isProven &&= bytes !== null
      entries++
      const isKnown = bytes !== null && equal(known.get(message.id), bytes)
      known.delete(message.id)
      return isKnown ? [] : [rowOf(directory, message, bytes)]
    })
    if (rows.length > 0) await patiently(() => index.write(({ message }) => message.put(rows)))
  }
  const gone = [...known.keys()]
  for (let start = 0; start < gone.length; start += ROWS_AT_ONCE) {
    await slice.turn()
    const ids = gone.slice(start, start + ROWS_AT_ONCE)
    await patiently(() =>
      index.write(({ message }) => {
        for (const id of ids) message.remove(directory, id)
      }),
    )
  }
  await patiently(() =>
    index.write(({ directories }) =>
      directories.settle(directory, { stamp: isProven ? stamp : null, size: 0, entries }),
    ),
  )
}

function rowOf(directory: number, { id, created }: StampedMessage, stamp: Uint8Array | null) {
  return {
    directory,
    id,
    stamp,
    size: 0,
    problem: null,
    problemMessage: null,
    created,
    role: null,
    pending: pendingMark(),
  }
}

async function removeGone(
  index: SqliteIndex,
  kind: "message" | "part",
  there: ReadonlySet<string>,
  slice: TimeSlice,
): Promise<void> {
  for (let after = ""; ; ) {
    const from = after
    const names = await patiently(() =>
      index.read(({ directories }) => directories.names(kind, from, ROWS_AT_ONCE)),
    )
    for (const folder of names) {
      if (there.has(folder)) continue
      await slice.turn()
      await patiently(() =>
        index.write(({ directories }) => {
          const row = directories.find({ kind, folder })
          if (row) directories.remove(row.id)
        }),
      )
    }
    const last = names.at(-1)
    if (last === undefined || names.length < ROWS_AT_ONCE) return
    after = last
  }
}

function equal(a: Uint8Array | null | undefined, b: Uint8Array): boolean {
  return a !== null && a !== undefined && Buffer.compare(a, b) === 0
}
