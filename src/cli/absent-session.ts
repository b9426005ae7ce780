import { type Store, StoreError } from "../index.ts"

/** How many ids are told of those that come near. */
const SHOWN = 3

/** What is said of an id that no session has: the ids that begin with it, if there are any, since ids are long and are often cut. */
export async function absentSession(store: Store, id: string): Promise<StoreError> {
  const near: string[] = []
  for await (const known of store.sessions.ids()) {
    if (id === "" || !known.startsWith(id)) continue
    if (near.length === SHOWN) {
      near.push("…")
      break
    }
    near.push(known)
  }
  return new StoreError("NOT_FOUND", `There is no session ${JSON.stringify(id)}`, {
    hint:
      near.length > 0
        ? `These begin with it: ${near.join(", ")}`
        : "`sessiondex sessions` lists all of them.",
  })
}
