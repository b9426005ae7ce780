import type { Key } from "./key.ts"

/** The three kinds of record that are indexed. Each owner has a folder of them. */
export const COLLECTION_KINDS = ["session", "message", "part"] as const
export type CollectionKind = (typeof COLLECTION_KINDS)[number]

/** The kinds of side files: each belongs to one session and has its id. `session_share` holds secrets; its bodies are never listed. */
export const SESSION_SIDE_KINDS = ["todo", "session_diff", "session_share"] as const
/** The kinds that have one folder for all owners and may be read by checks: projects, permissions, and side files without secrets. */
export const PLAIN_KINDS = ["project", "todo", "session_diff", "permission"] as const

/** One folder of records: the sessions of a project, the messages of a session, the parts of a message. */
export interface Place {
  readonly kind: CollectionKind
  /** The owner's id, which is the folder's name. */
  readonly folder: string
}

/** The place and id that a key names, or `undefined` if its kind is not indexed. */
export function placeOfKey(key: Key): { place: Place; id: string } | undefined {
  const [kind, folder, id, ...deeper] = key
  const known = COLLECTION_KINDS.find((candidate) => candidate === kind)
  if (!known || folder === undefined || id === undefined || deeper.length > 0) return undefined
  return { place: { kind: known, folder }, id }
}
