import { encodeRecord } from "../record/json.ts"
import { readBody } from "../repository/bodies.ts"
import type { Catalog } from "../repository/catalog.ts"
import { type RecordFiles, recordIds } from "../repository/file-catalog.ts"
import { type Problem, ProblemLog } from "../repository/problem-log.ts"

/** What an export held, and what it had to leave out because it cannot be read. */
export interface ExportEnd {
  readonly messages: number
  readonly parts: number
  readonly left: readonly Problem[]
}

/** A record's text as it stands in the export, so many levels deep. */
function indented(body: unknown, levels: number): string {
  // Within JSON strings a line break is an escape, so every break here is one of the layout.
  return encodeRecord(body).replaceAll("\n", `\n${"  ".repeat(levels)}`)
}

/**
 * Yields a session as the agent's own export command writes it, byte for byte: the session, then its messages with their parts,
 * oldest first, indented by two spaces, with a line break at the end. One record is held at a time. Every body bears the ids
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
    left.push({ ...problem, path: files.locate(problem.path) })
    files.problems.report(problem)
  })
  const telling: RecordFiles = { ...files, problems }
  const end = { messages: 0, parts: 0, left }
  yield `{\n  "info": ${indented(session, 1)},\n  "messages": [`
  for await (const run of catalog.messages(id, "asc", { signal }))
    for (const { id: message } of run) {
      signal?.throwIfAborted()
      const info = await readBody(telling, { kind: "message", folder: id }, message)
      if (!info) continue
      const opening = end.messages++ === 0 ? "\n" : ",\n"
      yield `${opening}    {\n      "info": ${indented(info, 3)},\n      "parts": [`
      let parts = 0
      for (const part of recordIds(telling, { kind: "part", folder: message })) {
        signal?.throwIfAborted()
        const body = await readBody(telling, { kind: "part", folder: message }, part)
        if (body) yield `${parts++ === 0 ? "\n" : ",\n"}        ${indented(body, 4)}`
      }
      end.parts += parts
      yield parts === 0 ? "]\n    }" : "\n      ]\n    }"
    }
  yield end.messages === 0 ? "]\n}\n" : "\n  ]\n}\n"
  return end
}
