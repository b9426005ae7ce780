import type { RouteContext } from "./context.ts"

/**
 * Looks whether the system lets anything be read just now, by the names of the projects; no record is read. A list's status leaves before
 * its first record is looked for, so this is the last moment to say 503; a list that meets it later is cut off.
 * @throws StoreError `EXHAUSTED`
 */
export async function checkAdmission(store: RouteContext["store"]): Promise<void> {
  for await (const _ of store.projects.ids()) return
}
