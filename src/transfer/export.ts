import { isStoreError } from "../errors.ts"
import { encodeRecord } from "../record/json.ts"
import type { CollectionKind } from "../record/kind.ts"
import { SYNC_COPY } from "../record/sync-copy.ts"
import type { Problem } from "../root/problem-log.ts"
import type { Root } from "../root/root.ts"
import { TimeSlice } from "../time-slice.ts"

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
 * @throws StoreError `EXHAUSTED`; the signal's reason
 */
export async function* exportSession(
  { catalog, records }: Root,
  id: string,
  session: unknown,
  signal?: AbortSignal,
): AsyncGenerator<string, ExportEnd> {
  const left = new Map<string, Problem>()
  const tell = (problem: Problem): void => {
    // A synchroniser's copy is no record that the export lacks.
    if (problem.code !== SYNC_COPY.code) left.set(problem.path, problem)
  }
  const slice = new TimeSlice(signal)
  const read = async (
    kind: CollectionKind,
    folder: string,
    record: string,
    levels: number,
  ): Promise<string | undefined> => {
    const turn = slice.pass()
    if (turn) await turn
    const [body] = await records.read(kind, folder, [record], tell)
    try {
      return body && indented(body, levels)
    } catch (error) {
      if (!isStoreError(error)) throw error
      tell({ path: records.locate([kind, folder, record]), code: error.code, message: error.message })
      return undefined
    }
  }
  const end = { messages: 0, parts: 0 }
  // A listing passes over what it cannot read. Looked at before, so that what comes meanwhile is not taken for that.
  const unlisted = new Set(await records.ids("message", id, tell))
  yield `{\n  "info": ${indented(session, 1)},\n  "messages": [`
  for await (const run of catalog.messages(id, "asc", { signal }))
    for (const { id: message } of run) {
      unlisted.delete(message)
      const info = await read("message", id, message, 3)
      if (info === undefined) continue
      const opening = end.messages++ === 0 ? "\n" : ",\n"
      yield `${opening}    {\n      "info": ${info},\n      "parts": [`
      let parts = 0
      for (const part of await records.ids("part", message, tell)) {
        const body = await read("part", message, part, 4)
        if (body !== undefined) yield `${parts++ === 0 ? "\n" : ",\n"}        ${body}`
      }
      end.parts += parts
      yield parts === 0 ? "]\n    }" : "\n      ]\n    }"
    }
  await records.read("message", id, [...unlisted], tell)
  yield end.messages === 0 ? "]\n}\n" : "\n  ]\n}\n"
  return { ...end, left: [...left.values()] }
}
