import { patiently } from "../../migrator/patiently.ts"
import { sessionFields } from "../../record/extract.ts"
import { TimeSlice } from "../../time-slice.ts"
import { textDifferences } from "../json/verify-texts.ts"
import type { Difference, DifferenceKind, VerifyResult } from "../verify-result.ts"
import { DocumentsAhead } from "./documents-ahead.ts"
import { placeText } from "./held.ts"
import { PlainLookup } from "./plain-lookup.ts"
import type { Settled } from "./settled.ts"
import type { TranscriptRecords } from "./transcript-records.ts"

/** SQLite's "no limit". */
const ALL = -1
/** How often a difference is checked again, because transcripts are written while they are compared. */
const MAX_LOOKS = 3

type Compared = Pick<VerifyResult, "checked"> & { readonly differences: Difference[] }

/** What is compared with what. */
export interface Comparison {
  readonly settled: Settled
  readonly records: TranscriptRecords
  /** Whether texts are indexed. */
  readonly hasTexts: boolean
  readonly signal: AbortSignal | undefined
}

/**
 * Compares every row with a fresh reading of all transcripts, and the full-text table with the texts of messages.
 * @throws IndexFailure; StoreError `EXHAUSTED`; the signal's reason
 */
export async function compareIndex(comparison: Comparison): Promise<Compared> {
  const { settled, records, hasTexts, signal } = comparison
  const { index } = settled.index
  let rows: Compared
  for (let looks = 1; ; looks++) {
    await settled.all({ signal, patient: true })
    rows = await compareRows(comparison)
    if (rows.differences.length === 0 || looks === MAX_LOOKS) break
  }
  const damages = await index.integrity()
  const integrity: Difference[] =
    damages.length > 0 ? [{ path: index.health().path ?? "", kind: "integrity" }] : []
  if (!hasTexts) return { ...rows, differences: [...integrity, ...rows.differences] }
  const ahead = new DocumentsAhead(records, async () => {})
  const texts = await textDifferences(
    {
      index,
      read: ahead.document.bind(ahead),
      expect: ahead.expect.bind(ahead),
      isVouchedFor: ({ session }) => settled.isSound(session),
      locate: ({ session, id }) => records.locate(["message", session, id]),
    },
    new TimeSlice(signal),
  )
  return { ...rows, differences: [...integrity, ...rows.differences, ...texts] }
}

async function compareRows({ settled, records, signal }: Comparison): Promise<Compared> {
  const slice = new TimeSlice(signal)
  const differences: Difference[] = []
  const note = (kind: DifferenceKind, ...key: string[]): void => {
    differences.push({ path: records.locate(key), kind })
  }
  // With an empty memory: what was continued is exactly what is to be checked.
  const sessions = await new PlainLookup(settled.index.transcripts).all()
  const indexed = await patiently(() =>
    settled.read(({ directories, session, transcripts }) =>
      directories.allNames("session").flatMap((project) => {
        const folder = directories.find({ kind: "session", folder: project })
        const rows = folder ? session.rows(folder.id, "", ALL) : []
        return rows.map((row) => ({ project, row, body: folder && transcripts.bodies(folder.id, [row.id]) }))
      }),
    ),
  )
  const rowOfSession = new Map(indexed.map((one) => [one.row.id, one]))
  let messages = 0
  for (const { id, project, body, messages: said } of sessions.values()) {
    const turn = slice.pass()
    if (turn) await turn
    messages += said.length
    const { places, rows, entries } = await patiently(() =>
      settled.read(({ directories, transcripts, message }) => {
        const directory = directories.find({ kind: "message", folder: id })
        return {
          places: directory ? transcripts.places.of(directory.id) : [],
          rows: directory ? message.rows(directory.id, "", ALL) : [],
          entries: directory?.entries ?? 0,
        }
      }),
    )
    const { created, updated, title, parentID, archived, directory } = sessionFields(body)
    const here = rowOfSession.get(id)
    const row = here?.row
    if (!row) note("unindexed", "session", project, id)
    else if (
      here?.body?.get(id) !== JSON.stringify(body) ||
      row.created !== created ||
      row.updated !== updated ||
      row.title !== title ||
      row.parent !== parentID ||
      row.worktree !== directory ||
      row.archived !== archived ||
      row.project !== project
    )
      note("wrong", "session", project, id)
    const known = new Map(places.map((place) => [place.id, place.place]))
    const rowOf = new Map(rows.map((one) => [one.id, one]))
    for (const message of said) {
      const place = known.get(message.id)
      const found = rowOf.get(message.id)
      known.delete(message.id)
      rowOf.delete(message.id)
      if (place === undefined || !found) note("unindexed", "message", id, message.id)
      else if (
        place !== placeText(message) ||
        found.created !== message.created ||
        found.role !== message.outlined.role
      )
        note("wrong", "message", id, message.id)
    }
    for (const message of new Set([...known.keys(), ...rowOf.keys()])) note("gone", "message", id, message)
    if (entries !== said.length) note("wrong", "message", id)
  }
  const { withMessages, counts } = await patiently(() =>
    settled.read(({ directories, message, transcripts }) => ({
      withMessages: directories.names("message", "", ALL).filter((name) => {
        const folder = directories.find({ kind: "message", folder: name })
        return folder && message.stamps(folder.id, "", 1).length > 0
      }),
      counts: transcripts.places.counts(),
    })),
  )
  for (const { project, row } of indexed)
    if (sessions.get(row.id)?.project !== project) note("gone", "session", project, row.id)
  for (const id of withMessages) if (!sessions.has(id)) note("gone", "message", id)
  return { differences, checked: { sessions: sessions.size, messages, parts: counts.parts } }
}
