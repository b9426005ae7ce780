import { isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { OutlinedMessage, OutlinedSession, Sides, Span } from "../../agent.ts"
import { soundId } from "../../record-bodies.ts"
import { textOf } from "./line.ts"
import type { Meta } from "./meta.ts"
import type { Usage } from "./usage.ts"

/** A message as a fold knows it. Fields that are not there are false. */
export interface Entry {
  readonly id: string
  readonly role: "user" | "assistant"
  readonly created: number
  /** The newest time of its lines; 0 where they tell none. */
  last: number
  readonly spans: Span[]
  /** What each span is of, "" for what cannot be told. */
  readonly keys: string[]
  /** Whether the person said something in it. */
  isSaid?: boolean
  /** Whether no further item of the model belongs to it. */
  isClosed?: boolean
  isSummary?: boolean
  isAuto?: boolean
  /** Whether a fork wrote it once more: it is counted where it was said first. */
  isReplayed?: boolean | undefined
  /** Whether it lies in the base that was read before. */
  isBase?: boolean
  usage?: Usage | undefined
  error?: JsonObject
  /** The user message before it. */
  parent?: string | undefined
  setting?: JsonObject
}

/** All that a fold knows, as plain JSON. */
export interface State {
  /** The newest time that a line told. */
  at: number
  /** Messages begun so far. */
  count: number
  readonly shown: Entry[]
  /** What each rollback took out of what is shown. */
  readonly reverted: Entry[][]
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
  record?: string
}

/** Names that a person gave, `{id, thread_name}` a line; the newest counts (`session_index.jsonl`, 0.100 on). */
const NAMES = "session_index.jsonl"

/** What a fold's state says: the session, then what was taken back out of it, each as a child. */
export function outlined(state: State, session: string, sides: Sides): OutlinedSession[] {
  const { meta, shown, reverted } = state
  if (!state.isSeen) return []
  const id = soundId(session)
  // As Codex 0.171 does: a fork is called by its own first words. One that replays has its source's, as in 0.130.
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
    messages: shown.map((entry, at) => message(entry, at === shown.length - 1 ? state : undefined)),
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
      messages: entries.map((entry) => message(entry, undefined)),
    }
  })
  return [own, ...children]
}

/** @param state where it is the newest message, which may still be under way */
function message(entry: Entry, state: State | undefined): OutlinedMessage {
  const { id, role, created, spans } = entry
  if (role === "user") return { id, created, role, spans }
  const mayRun = state !== undefined && state.isRunning !== false
  const isWhole = entry.isClosed === true || entry.usage !== undefined
  const isOver = !mayRun || (isWhole && !hasOpenCall(entry))
  return {
    id,
    created,
    role,
    spans,
    about: present({
      ...entry.setting,
      root: state?.meta?.cwd,
      parent: entry.parent,
      usage: entry.usage,
      error: entry.error,
      isReplayed: entry.isReplayed,
      summary: entry.isSummary,
      auto: entry.isAuto,
      mayRun: mayRun || undefined,
      completed: isOver && entry.last > 0 ? entry.last : undefined,
    }),
  }
}

function hasOpenCall({ keys }: Entry): boolean {
  const answered = new Set(
    keys.filter((key) => key.startsWith("r:") || key.startsWith("e:")).map((key) => key.slice(2)),
  )
  return keys.some((key) => key.startsWith("c:") && !answered.has(key.slice(2)))
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
