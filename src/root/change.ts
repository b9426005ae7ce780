import type { Key } from "../record/key.ts"

/** Something that changed in the store. */
export interface StoreChange {
  /** The kind of record, as `session`, `message`, `part`, `project`, `todo`; `store` where it can be any. */
  readonly kind: string
  /** `unknown`: what changed, if anything did, has to be looked up. */
  readonly type: "written" | "removed" | "unknown"
  /** Whether this store changed it, or another one or another program. */
  readonly by: "store" | "other"
  /** The ids of the record's path; where its own is missing, every record in that folder may be meant. */
  readonly projectID?: string
  readonly sessionID?: string
  readonly messageID?: string
  readonly partID?: string
  /** The `place` of the root that it happened in, where that is only read, beside the store's own folder. */
  readonly origin?: string
}

/** What can be any change at all: too many came, or the watch missed some. */
export const ANYTHING: StoreChange = { kind: "store", type: "unknown", by: "other" }

const ID_NAMES: Readonly<Record<string, readonly ("projectID" | "sessionID" | "messageID" | "partID")[]>> = {
  project: ["projectID"],
  permission: ["projectID"],
  session: ["projectID", "sessionID"],
  message: ["sessionID", "messageID"],
  part: ["messageID", "partID"],
  todo: ["sessionID"],
  session_diff: ["sessionID"],
  session_share: ["sessionID"],
}

/** A change of the record under a key, or, where the key is a folder's, of what is in it. */
export function changeOf(
  key: Key,
  type: StoreChange["type"],
  by: StoreChange["by"],
  more: { readonly sessionID?: unknown } = {},
): StoreChange {
  const [kind = "store", ...ids] = key
  const names = ID_NAMES[kind] ?? []
  const named = Object.fromEntries(ids.flatMap((id, i) => (names[i] ? [[names[i], id]] : [])))
  // A part's path does not say which session it is of.
  const session = kind === "part" && typeof more.sessionID === "string" ? { sessionID: more.sessionID } : {}
  return { kind, type, by, ...session, ...named }
}
