import { isJsonObject } from "../../../../record/extract.ts"
import type { OutlinedSession, Sides, Span } from "../../agent.ts"
import { soundId } from "../../record-bodies.ts"
import type { Kept } from "./entries.ts"
import { textOf } from "./line.ts"
import type { MessageOutlines } from "./message-outlines.ts"
import type { Meta } from "./meta.ts"
import type { Usage } from "./usage.ts"

/** All that a fold knows, as plain JSON. */
export interface State extends Kept {
  /** The newest time that a line told. */
  at: number
  /** Events of calls whose own lines have not come yet. */
  readonly early: (readonly [call: string, span: Span, at: number])[]
  isSeen?: boolean
  first?: number
  updated?: number
  created?: number | undefined
  /** Which of the container's files is being read, and of which session it is by its first meta. */
  file?: number
  fileOf?: string | undefined
  /** Whether the container's own meta was read. */
  isOwn?: boolean
  meta?: Meta
  /** Whether the file's source is being replayed, and whether its turns have ids that tell it. */
  replay?: "on" | "over" | undefined
  hasOldTurns?: boolean | undefined
  /** The first words of the person, for a title: its own, and those of its base. */
  words?: string | undefined
  baseWords?: string | undefined
  task?: string | undefined
  name?: string | undefined
  model?: string | undefined
  provider?: string | undefined
  cwd?: string | undefined
  mode?: string | undefined
  effort?: string | undefined
  /** Whether the person said something in this turn, and whether it goes on; `undefined` where releases do not tell turns. */
  isAsked?: boolean
  isRunning?: boolean
  /** What a response took whose items have not come yet. */
  waiting?: Usage | undefined
  /** The newest `token_count`'s total, and the newest `token_usage_record`. */
  total?: number
  /** Where counts stand to the items of their response, once that can be told. */
  counts?: "before" | "behind" | undefined
  record?: string
}

/** Names that a person gave, `{id, thread_name}` a line; the newest counts (`session_index.jsonl`, 0.100 on). */
const NAMES = "session_index.jsonl"

/**
 * What a fold's state says: the session, then what was taken back out of it, each as a child.
 * @param outlines what it said before
 */
export function outlined(
  state: State,
  session: string,
  sides: Sides,
  outlines: MessageOutlines,
): OutlinedSession[] {
  const { meta, shown, reverted } = state
  if (!state.isSeen) return []
  const id = soundId(session)
  // A fork is called by its own first words, as in 0.171; 0.130 called it by its source's.
  const title = nameOf(session, sides) ?? state.name ?? state.words ?? state.baseWords ?? state.task
  const created = state.created ?? state.first ?? state.at
  const common = { directory: meta?.cwd ?? state.cwd, version: meta?.version }
  const parent = meta?.parent === undefined || meta.parent === session ? undefined : soundId(meta.parent)
  const metadata = meta?.metadata ?? {}
  const own: OutlinedSession = {
    ...common,
    id,
    parentID: parent,
    title,
    created,
    updated: Math.max(state.updated ?? 0, created),
    body: Object.keys(metadata).length > 0 ? { metadata } : undefined,
    messages: shown.map((entry, at) =>
      outlines.of(entry, meta?.cwd, at === shown.length - 1 && state.isRunning !== false),
    ),
  }
  const children = reverted.map((entries, at): OutlinedSession => {
    const begun = entries[0]?.created ?? created
    return {
      ...common,
      id: `${id}-reverted-${at + 1}`,
      parentID: id,
      title: `${title ?? "Untitled"} (reverted)`,
      created: begun,
      updated: entries.reduce((newest, { last }) => Math.max(newest, last), begun),
      body: { metadata: { reverted: true } },
      messages: entries.map((entry) => outlines.of(entry, meta?.cwd, false)),
    }
  })
  return [own, ...children]
}

/** The newest name of a session: searched from the end, without parsing other sessions' lines. */
function nameOf(session: string, sides: Sides): string | undefined {
  const text = sides.text(NAMES)
  if (text === undefined) return undefined
  for (let at = text.lastIndexOf(session); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(session, at - 1)) {
    const begin = text.lastIndexOf("\n", at) + 1
    const end = text.indexOf("\n", at)
    try {
      const named: unknown = JSON.parse(text.slice(begin, end < 0 ? undefined : end))
      const name = isJsonObject(named) && named.id === session ? textOf(named.thread_name)?.trim() : undefined
      if (name) return name
    } catch {
      // A line that was cut off, and says nothing.
    }
    at = begin
  }
  return undefined
}
