import { isStoreError } from "../errors.ts"
import { type Place, recordPath } from "../file/layout.ts"
import { TimeSlice } from "../file/time-slice.ts"
import { encodeRecord } from "../record/json.ts"
import { SYNC_COPY } from "../record/sync-copy.ts"
import { readBody } from "../repository/bodies.ts"
import type { Catalog } from "../repository/catalog.ts"
import { partIds, type RecordFiles, recordIds } from "../repository/file-catalog.ts"
import { type Problem, ProblemLog } from "../repository/problem-log.ts"

/** What an export held, and what it had to leave out because it cannot be read. */
export interface ExportEnd {
  readonly messages: number
  readonly parts: number
  readonly left: readonly Problem[]
  /** Whether the session's own file is gone, and what stands for it was made of its messages. */
  readonly recovered?: boolean
}

/** A record's text as it stands in the export, so many levels deep. */
function indented(body: unknown, levels: number): string {
  // Within JSON strings a line break is an escape, so every break here is one of the layout.
  return encodeRecord(body).replaceAll("\n", `\n${"  ".repeat(levels)}`)
}

/**
 * Yields a session as the agent's own export command writes it, byte for byte: the session, then its messages with their parts,
 * oldest first (the agent puts parts in a wrong order where their ids wrap; see `partsInOrder`), indented by two spaces, with a line break at the end. One record and the messages' ids are held at a time. Every body bears the ids
 * of its place. Side files (todo, session_diff) are no part of an export, nor is the session's secret.
 * @param session the session's body, with its ids
 * @throws the signal's reason
 */
export async function* exportSession(
  files: RecordFiles,
  catalog: Catalog,
  id: string,
  session: unknown,
  signal?: AbortSignal,
): AsyncGenerator<string, ExportEnd> {
  const left: Problem[] = []
  const problems = new ProblemLog((problem) => {
    // A synchroniser's copy is no record that the export lacks.
    if (problem.code !== SYNC_COPY.code) left.push({ ...problem, path: files.locate(problem.path) })
    files.problems.report(problem)
  })
  const telling: RecordFiles = { ...files, problems }
  const end = { messages: 0, parts: 0, left }
  const slice = new TimeSlice(signal)
  const place: Place = { kind: "message", folder: id }
  const read = async (of: Place, record: string, levels: number): Promise<string | undefined> => {
    const turn = slice.pass()
    if (turn) await turn
    const body = await readBody(telling, of, record)
    try {
      return body && indented(body, levels)
    } catch (error) {
      if (!isStoreError(error)) throw error
      const { code, message } = error
      problems.report({ path: recordPath(files.directory, of, record), code, message })
      return undefined
    }
  }
  // A listing passes over what it cannot read. Looked at before, so that what comes meanwhile is not taken for that.
  const unlisted = new Set(recordIds(telling, place))
  yield `{\n  "info": ${indented(session, 1)},\n  "messages": [`
  for await (const run of catalog.messages(id, "asc", { signal }))
    for (const { id: message } of run) {
      unlisted.delete(message)
      const info = await read(place, message, 3)
      if (info === undefined) continue
      const opening = end.messages++ === 0 ? "\n" : ",\n"
      yield `${opening}    {\n      "info": ${info},\n      "parts": [`
      let parts = 0
      const within: Place = { kind: "part", folder: message }
      for (const part of partIds(telling, message)) {
        const body = await read(within, part, 4)
        if (body !== undefined) yield `${parts++ === 0 ? "\n" : ",\n"}        ${body}`
      }
      end.parts += parts
      yield parts === 0 ? "]\n    }" : "\n      ]\n    }"
    }
  for (const message of unlisted) await readBody(telling, place, message)
  yield end.messages === 0 ? "]\n}\n" : "\n  ]\n}\n"
  return end
}
