import { fieldsOf } from "../../../record/extract.ts"
import type { Base, ContainerName, TranscriptAgent } from "../agent.ts"
import { RolloutFold } from "./codex/fold.ts"
import { isBookkeeping, rolloutLine, textOf } from "./codex/line.ts"
import { rolloutMessage } from "./codex/message.ts"

const ROLLOUT =
  /^(sessions|archived_sessions)\/(?:[^/]+\/)*rollout-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))\.jsonl$/i

/**
 * Codex CLI, by what its releases 0.29 to 0.171 wrote (test/fixtures/codex): a file of JSON lines a session, moved when it is
 * archived. A fork since about 0.16x holds its own lines only and names the file that has those before.
 */
export const codex: TranscriptAgent = {
  source: "codex",
  version: 2,
  folders: ["sessions", "archived_sessions"],

  places: ({ CODEX_HOME }, home) => [CODEX_HOME ? CODEX_HOME : `${home}/.codex`],

  container(path): ContainerName | undefined {
    const [, folder, name, session] = path.match(ROLLOUT) ?? []
    if (folder === undefined || name === undefined || session === undefined) return undefined
    return { name, rank: 0, form: "lines", session, archived: folder.toLowerCase() === "archived_sessions" }
  },

  fold: (container, state) => new RolloutFold(container, state),

  base(first): Base | undefined {
    const line = rolloutLine(first)
    const { thread_id, end_byte_offset } = fieldsOf(line?.payload.history_base)
    const session = textOf(thread_id)
    const bytes = Number.isSafeInteger(end_byte_offset) ? Number(end_byte_offset) : 0
    if (line?.type !== "session_meta" || session === undefined || bytes <= 0) return undefined
    return { session, bytes }
  },

  isBookkeeping,
  message: rolloutMessage,
}
