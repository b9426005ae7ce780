import { lazy } from "../../database/lazy.ts"
import { type JsonObject, sessionFields } from "../../record/extract.ts"
import type { OutlinedSession } from "./agent.ts"
import { type FoundContainer, modifiedAt, prefixesOf } from "./container.ts"
import { type PlacedMessage, placed, sessionBody, soundId } from "./record-bodies.ts"

/** A session of a container, as our records have it. */
export interface HeldSession {
  readonly id: string
  readonly project: string
  readonly updated: number
  readonly body: JsonObject
  readonly messages: readonly PlacedMessage[]
}

/**
 * The sessions of a container, each id once, with ids that are valid in our store.
 * @param before its sessions from before, if they are at hand
 */
export function heldSessions(
  container: FoundContainer,
  sessions: readonly OutlinedSession[],
  before: readonly HeldSession[] = [],
): HeldSession[] {
  const isArchived = container.files.at(-1)?.name.archived ?? false
  const modified = modifiedAt(container)
  const held = new Map<string, HeldSession>()
  // Other sessions are not looked for in these files.
  const prefixes = container.files.flatMap(({ name }) => prefixesOf(name) ?? "")
  const idOf = (own: string): string =>
    soundId(prefixes.some((prefix) => own.startsWith(prefix)) ? own : `${prefixes[0]}-${own}`)
  const ids = new Map(sessions.map(({ id }) => [id, idOf(id)]))
  for (const session of sessions) {
    const id = idOf(session.id)
    if (held.has(id)) continue
    const { parentID: parent } = session
    const parentID = parent === undefined ? undefined : (ids.get(parent) ?? soundId(parent))
    const body = sessionBody({ ...session, id, parentID }, modified, isArchived)
    const { updated } = sessionFields(body)
    const place = lazy(() => placed(id, session.messages, before.find((one) => one.id === id)?.messages))
    held.set(id, {
      id,
      project: String(body.projectID),
      updated,
      body,
      // Made only when asked for: a page of sessions does not need them.
      get messages() {
        return place()
      },
    })
  }
  return [...held.values()]
}

/** The place of a message as text, for its row. */
export function placeText({ outlined, created }: PlacedMessage): string {
  const { id, created: own, role, spans, about } = outlined
  return JSON.stringify({ id, at: created, ...(own !== created && { own }), role, spans, about })
}

/** Reads what `placeText` wrote; `undefined` for anything else. */
export function placeOfText(id: string, text: string): PlacedMessage | undefined {
  const {
    id: named,
    at,
    own = at,
    role,
    spans,
    about,
  } = JSON.parse(text) as {
    id?: unknown
    at?: unknown
    own?: unknown
    role?: unknown
    spans?: unknown
    about?: JsonObject
  }
  if (typeof named !== "string" || typeof at !== "number" || typeof own !== "number" || !Array.isArray(spans))
    return undefined
  if (role !== "user" && role !== "assistant") return undefined
  return { id, created: at, outlined: { id: named, created: own, role, spans, about } }
}
