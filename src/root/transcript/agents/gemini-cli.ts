import type { ContainerName, TranscriptAgent } from "../agent.ts"
import { GeminiFold } from "./gemini-cli/fold.ts"
import { messageOf } from "./gemini-cli/message.ts"

const FILE = /^session-.+\.(jsonl?)$/
/** The file's name ends in what its session's id begins with. */
const BEGUN = /-([0-9a-f]{8})$/
/** A subagent's file is named after its session. */
const SUBAGENT = /^.+\.(jsonl?)$/

/**
 * Gemini CLI: `tmp/<work tree>/chats/session-<time>-<id>.{json,jsonl}`, and of subagents `chats/<parent's id>/<id>.jsonl`.
 * Until 0.3x a session is one JSON object, written anew at each turn; since then a line for each message or change. To resume an old
 * one writes the `.jsonl` beside the `.json`: one session. Proof: files that 0.20, 0.27 and 0.61 wrote, in `test/fixtures/gemini-cli`.
 */
export const geminiCli: TranscriptAgent = {
  source: "gemini-cli",
  version: 3,
  // `homedir()` of 0.61.
  places: ({ GEMINI_CLI_HOME }, home) => [`${GEMINI_CLI_HOME ? GEMINI_CLI_HOME : home}/.gemini`],
  folders: ["tmp"],
  container: containerOf,
  fold: (name, state) => new GeminiFold(name, state),
  message: messageOf,
}

function containerOf(path: string): ContainerName | undefined {
  const [tmp, folder, chats, ...below] = path.split("/")
  const [first = "", second] = below
  if (tmp !== "tmp" || !folder || chats !== "chats" || below.length > 2) return undefined
  const match = second === undefined ? FILE.exec(first) : SUBAGENT.exec(second)
  if (!match) return undefined
  const isLines = match[1] === "jsonl"
  const stem = (second ?? first).replace(/\.jsonl?$/, "")
  // A session without a header is called after its file.
  const begun = second === undefined ? BEGUN.exec(stem)?.[1] : stem
  return {
    name: path.slice(0, path.lastIndexOf(".")),
    rank: isLines ? 1 : 0,
    form: isLines ? "lines" : "object",
    prefixes: begun === undefined ? undefined : [...new Set([begun, stem])],
    parent: second === undefined ? undefined : first,
  }
}
