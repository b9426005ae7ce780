import { type JsonObject, sessionFields } from "../../record/extract.ts"
import { jsonLine } from "../../record/json-text.ts"
import { TimeSlice } from "../../time-slice.ts"
import { type CountedRecord, StatsSum } from "../stats-sum.ts"
import type { StoreStats } from "../store-stats.ts"
import type { TranscriptRecords } from "./transcript-records.ts"

/** The most messages that are read together, and the most bytes of their lines. */
const RUN_LENGTH = 256
const RUN_BYTES = 512 * 1024

/**
 * Counts records and bytes. Each message is read once, with its parts. A message that cannot be read counts with no bytes.
 * @throws StoreError `EXHAUSTED`; the signal's reason
 */
export async function transcriptStats(
  records: TranscriptRecords,
  signal: AbortSignal | undefined,
): Promise<StoreStats> {
  const sum = new StatsSum()
  const slice = new TimeSlice(signal)
  const counted = (key: readonly string[], body: JsonObject | undefined): CountedRecord => ({
    path: records.locate(key),
    bytes: body ? Buffer.byteLength(jsonLine(body)) : 0,
  })
  for (const project of await records.folders("session"))
    for (const run of runs(await records.ids("session", project))) {
      const turn = slice.pass()
      if (turn) await turn
      const bodies = await records.read("session", project, run)
      for (const [at, id] of run.entries()) {
        const body = bodies[at]
        const updated = body && sessionFields(body).updated
        sum.addSession(id, project, updated, counted(["session", project, id], body))
      }
    }
  for (const session of await records.folders("message")) {
    const ids = await records.ids("message", session)
    for (let at = 0; at < ids.length; ) {
      const turn = slice.pass()
      if (turn) await turn
      const wanted = ids.slice(at, at + RUN_LENGTH)
      const run = (await records.locatedQuietly(session, wanted, RUN_BYTES)) ?? [undefined]
      for (const [place, one] of run.entries()) {
        const id = wanted[place] ?? ""
        sum.add("message", session, counted(["message", session, id], one?.read.info))
        for (const part of one?.read.parts ?? [])
          sum.add("part", session, counted(["part", id, String(part.id)], part))
      }
      at += run.length
    }
  }
  return sum.result()
}

function* runs(ids: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < ids.length; start += RUN_LENGTH) yield ids.slice(start, start + RUN_LENGTH)
}
