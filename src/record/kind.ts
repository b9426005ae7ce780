import type { Key } from "./key.ts"

/** The three kinds of record that lie in a folder per owner and that the index knows. */
export const COLLECTION_KINDS = ["session", "message", "part"] as const
export type CollectionKind = (typeof COLLECTION_KINDS)[number]

/** What belongs to one session and is named after it. `session_share` holds secrets: it is never listed with bodies. */
export const SESSION_SIDE_KINDS = ["todo", "session_diff", "session_share"] as const
/** The kinds of single records whose bodies may be read by checks: side files, projects and their permissions. */
export const PLAIN_KINDS = ["project", "todo", "session_diff", "permission"] as const

/** One folder of records: the sessions of a project, the messages of a session, the parts of a message. */
export interface Place {
  readonly kind: CollectionKind
  /** The owner's id, which is the folder's name. */
  readonly folder: string
}

/** The place and id a key names, or `undefined` where it is of no indexed kind. */
export function placeOfKey(key: Key): { place: Place; id: string } | undefined {
  const [kind, folder, id, ...deeper] = key
  const known = COLLECTION_KINDS.find((candidate) => candidate === kind)
  if (!known || folder === undefined || id === undefined || deeper.length > 0) return undefined
  return { place: { kind: known, folder }, id }
}
