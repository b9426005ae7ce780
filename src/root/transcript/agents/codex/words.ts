import { fieldsOf, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import { objectsOf, textOf } from "./line.ts"

/** Tags of what the client says in the person's place (`context_fragments` of its source, and all generations of the fixtures). */
const TAGS = [
  "apps_instructions",
  "codex_internal_context",
  "collaboration_mode",
  "environment_context",
  "environments_instructions",
  "goal_context",
  "hook_prompt",
  "instructions",
  "model_switch",
  "permissions instructions",
  "personality_spec",
  "plugins_instructions",
  "realtime_conversation",
  "recommended_plugins",
  "skill",
  "skills_instructions",
  "subagent_notification",
  "turn_aborted",
  "user_action",
  "user_instructions",
  "user_shell_command",
]
const WRAPPED = new RegExp(`^\\s*<(${TAGS.join("|")})(?:\\s[^>]*)?>`, "i")
const OPENINGS = [
  "# AGENTS.md instructions",
  "Warning: apply_patch was requested via",
  "Warning: The maximum number of unified exec",
  "Warning: Your account was flagged",
]
/** Marks of an image's place, which its own item tells (0.100 to 0.130). */
const IMAGE_MARK = /^<\/?image(?:\s[^>]*)?>$/
/** What an editor's extension puts between what it adds and the person's words. */
const REQUEST = "## My request for Codex:"
/** Kinds of content that tell nothing, as of a review that was begun (`content_item_kinds`, since about 0.16x). */
const UNTOLD = /^(?:unknown|)$/
/** Kinds that are the person's, or stand for what was. */
const PERSONS = /^(?:user|images|audio)\./

/** A piece of what was said in the person's place: a text, or a file. */
export interface Piece {
  /** `undefined` for a file. */
  readonly text?: string
  /** Whether the client said it, not the person. */
  readonly synthetic: boolean
  readonly part: JsonObject
}

/** What a message in the person's place, or the developer's, says; in order. */
export function piecesOf(payload: JsonObject): Piece[] {
  const content =
    typeof payload.content === "string" ? [{ text: payload.content }] : objectsOf(payload.content)
  const kinds = fieldsOf(payload.internal_chat_message_metadata_passthrough).content_item_kinds
  const known = Array.isArray(kinds) && kinds.length === content.length ? kinds : undefined
  return content.flatMap((item, at) => {
    const file = fileOf(item)
    if (file) return [{ synthetic: payload.role !== "user", part: file }]
    const text = textOf(item.text)
    if (text === undefined || IMAGE_MARK.test(text)) return []
    const kind = known ? String(known[at]) : ""
    const synthetic = payload.role !== "user" || (UNTOLD.test(kind) ? isWrapper(text) : !PERSONS.test(kind))
    const begin = synthetic ? -1 : text.indexOf(REQUEST)
    if (begin < 0) return [piece(text, synthetic)]
    const words = begin + REQUEST.length
    return [piece(text.slice(0, words), true), piece(text.slice(words).trim(), false)]
  })
}

/** The person's own words of a message; `undefined` where there are none, "" where there is but a file. */
export function personsWords(payload: JsonObject): string | undefined {
  const own = piecesOf(payload).filter(({ synthetic }) => !synthetic)
  return own.length === 0 ? undefined : (own.find(({ text }) => text?.trim())?.text ?? "")
}

function piece(text: string, synthetic: boolean): Piece {
  return { text, synthetic, part: { type: "text", text, ...(synthetic && { synthetic }) } }
}

function isWrapper(text: string): boolean {
  return WRAPPED.test(text) || OPENINGS.some((opening) => text.startsWith(opening))
}

/** The work tree that the first message tells, which is the only one that does so in 0.29. */
export function toldDirectory(payload: JsonObject): string | undefined {
  for (const { text } of piecesOf(payload)) {
    const told = text?.slice(0, 2_000).match(/<cwd>([^<]+)<\/cwd>|^Current working directory: (.+)$/m)
    if (told) return told[1] ?? told[2]
  }
  return undefined
}

/** An image or a recording as a `file` part. */
export function fileOf(item: JsonObject): JsonObject | undefined {
  const image = textOf(item.image_url) ?? textOf(fieldsOf(item.image_url).url)
  const url = image ?? textOf(item.audio_url)
  if (url === undefined) return undefined
  const mime = url.slice(0, 200).match(/^data:([\w.+-]+\/[\w.+-]+)[;,]/)?.[1]
  return present({ type: "file", mime: mime ?? (image === undefined ? "audio/*" : "image/*"), url })
}
