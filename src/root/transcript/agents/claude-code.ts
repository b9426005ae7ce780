import { join } from "node:path"
import type { ContainerName, TranscriptAgent } from "../agent.ts"
import { soundId } from "../record-bodies.ts"
import { isBookkeeping } from "./claude-code/bookkeeping.ts"
import { ClaudeFold } from "./claude-code/fold.ts"
import { messageOf } from "./claude-code/message.ts"

const ENDING = ".jsonl"
/** `projects/<work tree>/<session>.jsonl`; until about 2.0 subagents lay beside, as `agent-<id>.jsonl`. */
const SESSION = /^projects\/[^/]+\/([^/]+)\.jsonl$/
/** `projects/<work tree>/<session>/subagents/agent-<id>.jsonl`, in folders of their own where workflows began them. */
const SUBAGENT = /^projects\/[^/]+\/([^/]+)\/subagents\/(?:.+\/)?(agent-[^/]+)\.jsonl$/

/** Claude Code: a session is a file of lines that form a tree; subagents have files of their own, or lines among their parent's. */
export const claudeCode: TranscriptAgent = {
  source: "claude-code",
  version: 2,
  places: ({ CLAUDE_CONFIG_DIR }, home) =>
    CLAUDE_CONFIG_DIR ? [CLAUDE_CONFIG_DIR] : [join(home, ".claude"), join(home, ".config", "claude")],
  folders: ["projects"],
  container(path): ContainerName | undefined {
    if (!path.endsWith(ENDING)) return undefined
    const name = path.slice(0, -ENDING.length)
    const session = SESSION.exec(path)?.[1]
    if (session !== undefined) return { name, rank: 0, form: "lines", session: soundId(session) }
    const [, parent, subagent] = SUBAGENT.exec(path) ?? []
    if (subagent === undefined || parent === undefined) return undefined
    return { name, rank: 0, form: "lines", session: soundId(subagent), parent: soundId(parent) }
  },
  fold: (container, state) => new ClaudeFold(container, state),
  isBookkeeping,
  message: messageOf,
}
