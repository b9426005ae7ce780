import type { IndexedMessage } from "../../database/full-text-statements.ts"
import type { RecordRow } from "../../database/record-statements.ts"
import type { SqliteIndex } from "../../database/sqlite-index.ts"
import { patiently } from "../../migrator/patiently.ts"
import { TimeSlice } from "../../time-slice.ts"
import { catchUp } from "../json/catch-up.ts"
import { textDifferences } from "../json/verify-texts.ts"
import type { Difference, DifferenceKind, VerifyOptions } from "../verify-result.ts"
import type { StampedMessage } from "./changes.ts"
import { DocumentsAhead } from "./documents-ahead.ts"
import type { OpencodeReader } from "./reader.ts"
import { syncMessages } from "./text-sync.ts"

const ALL = -1
const FOLDERS_AT_ONCE = 256

/**
 * Compares the index of a database's texts with the database: its rows of messages, then its full-text table. An empty index has no
 * differences.
 * @returns what differed, even if it was repaired
 * @throws IndexFailure; StoreError if the database cannot be read; the signal's reason
 */
export async function indexDifferences(
  reader: OpencodeReader,
  index: SqliteIndex,
  { repair = false, signal }: VerifyOptions,
): Promise<Difference[]> {
  const slice = new TimeSlice(signal)
  const differences: Difference[] = []
  if ((await index.integrity()).length > 0) {
    differences.push({ path: index.health().path ?? "", kind: "integrity" })
    if (repair) index.startAnew()
  }
  const isEmpty = await patiently(() => index.read(({ directories }) => directories.names("message", "", 1)))
  if (isEmpty.length > 0) differences.push(...(await rowDifferences(reader, index, slice, repair, signal)))
  if (repair && differences.length > 0) await syncMessages(reader, index, { signal })
  // After the rows, which are repaired by now.
  const ahead = new DocumentsAhead(reader)
  const expect = ahead.expect.bind(ahead)
  const read = (session: string, id: string) => ahead.document(session, id)
  const ofTexts = await textDifferences(
    {
      index,
      read,
      expect,
      isVouchedFor: (message) => isVouchedFor(reader, index, message),
      locate: ({ session, id }) => locate(reader, session, id),
    },
    slice,
  )
  differences.push(...ofTexts)
  if (repair && ofTexts.length > 0)
    await patiently(() => index.write(({ fullText }) => fullText.emptyTexts()))
  if (repair && differences.length > 0) await catchUp({ index }, read, { signal, expect })
  return differences
}

function locate(reader: OpencodeReader, ...key: readonly string[]): string {
  return `${reader.database.path}#message/${key.join("/")}`
}

async function rowDifferences(
  reader: OpencodeReader,
  index: SqliteIndex,
  slice: TimeSlice,
  repair: boolean,
  signal: AbortSignal | undefined,
): Promise<Difference[]> {
  const differences: Difference[] = []
  const compare = async (session: string, stamp: string | undefined): Promise<void> => {
    const found = await sessionDifferences(reader, index, session, stamp, slice, signal)
    differences.push(...found)
    if (repair && found.length > 0)
      await patiently(() => index.write((rows) => rows.distrust({ kind: "message", folder: session })))
  }
  const there = new Set<string>()
  for await (const run of reader.stamps(signal))
    for (const { id, stamp } of run) {
      there.add(id)
      await compare(id, stamp)
    }
  for (let after = ""; ; ) {
    const from = after
    const names = await patiently(() =>
      index.read(({ directories }) => directories.names("message", from, FOLDERS_AT_ONCE)),
    )
    for (const name of names) if (!there.has(name)) await compare(name, undefined)
    const last = names.at(-1)
    if (last === undefined || names.length < FOLDERS_AT_ONCE) return differences
    after = last
  }
}

/** @param stamp the session's stamp, taken just before; `undefined` if there is no such session */
async function sessionDifferences(
  reader: OpencodeReader,
  index: SqliteIndex,
  session: string,
  stamp: string | undefined,
  slice: TimeSlice,
  signal: AbortSignal | undefined,
): Promise<Difference[]> {
  const differences: Difference[] = []
  const differ = (kind: DifferenceKind, ...id: string[]): void => {
    differences.push({ path: locate(reader, session, ...id), kind })
  }
  await slice.pass()
  const { directory, known } = await patiently(() =>
    index.read(({ directories, message }) => {
      const directory = directories.find({ kind: "message", folder: session })
      const rows = directory ? message.rows(directory.id, "", ALL) : []
      return { directory, known: new Map(rows.map((row) => [row.id, row])) }
    }),
  )
  const isVouched = isSame(directory?.stamp, stamp)
  let count = 0
  if (stamp !== undefined)
    for await (const run of reader.messageStamps(session, signal)) {
      await slice.pass()
      count += run.length
      for (const message of run) {
        const row = known.get(message.id)
        known.delete(message.id)
        const kind = row ? rowDifference(row, message, isVouched) : "unindexed"
        if (kind) differ(kind, message.id)
      }
    }
  for (const id of known.keys()) differ("gone", id)
  if (directory && (stamp === undefined || (isVouched && directory.entries !== count)))
    differ(stamp === undefined ? "gone" : "wrong")
  return differences
}

function rowDifference(
  row: RecordRow,
  message: StampedMessage,
  isSessionVouched: boolean,
): DifferenceKind | undefined {
  const isRight = row.created === message.created && row.problem === null
  if (row.stamp === null) return isRight ? undefined : "wrong"
  if (isSame(row.stamp, message.stamp)) return isRight ? undefined : "wrong"
  return isSessionVouched ? "wrong" : "outdated"
}

/** Whether stamps prove the message unchanged, so that no search would put its texts anew. */
async function isVouchedFor(
  reader: OpencodeReader,
  index: SqliteIndex,
  { session, id }: IndexedMessage,
): Promise<boolean> {
  const { folder, row } = await patiently(() =>
    index.read(({ directories, message }) => {
      const folder = directories.find({ kind: "message", folder: session })
      return { folder, row: folder && message.rows(folder.id, "", ALL).find((row) => row.id === id) }
    }),
  )
  if (isSame(folder?.stamp, await reader.version([session]))) return true
  for await (const run of reader.messageStamps(session))
    for (const message of run) if (message.id === id) return isSame(row?.stamp, message.stamp)
  return false
}

function isSame(a: Uint8Array | null | undefined, b: string | undefined): boolean {
  return a !== null && a !== undefined && b !== undefined && Buffer.compare(a, Buffer.from(b)) === 0
}
