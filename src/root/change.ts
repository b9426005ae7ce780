import type { Key } from "../record/key.ts"

/** A change in the store. */
export interface StoreChange {
  /** The kind of record: `session`, `message`, `part`, `project`, `todo`, …; `store` if it can be any. */
  readonly kind: string
  /** `unknown`: something may have changed; look up what. */
  readonly type: "written" | "removed" | "unknown"
  /** `store`: this store made the change. `other`: another store or another program did. */
  readonly by: "store" | "other"
  /** The ids in the record's path. If the record's own id is missing, any record in that folder may have changed. */
  readonly projectID?: string
  readonly sessionID?: string
  readonly messageID?: string
  readonly partID?: string
  /** The `place` of the root it happened in, if that is not the store's own folder. */
  readonly origin?: string
}

/** Stands for any change at all: too many came, or the watch missed some. */
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

/** A change of the record under a key; if the key is a folder's, of anything in it. */
export function changeOf(
  key: Key,
  type: StoreChange["type"],
  by: StoreChange["by"],
  more: { readonly sessionID?: unknown } = {},
): StoreChange {
  const [kind = "store", ...ids] = key
  const names = ID_NAMES[kind] ?? []
  const named = Object.fromEntries(ids.flatMap((id, i) => (names[i] ? [[names[i], id]] : [])))
  // A part's path does not name its session.
  const session = kind === "part" && typeof more.sessionID === "string" ? { sessionID: more.sessionID } : {}
  return { kind, type, by, ...session, ...named }
}
