import type { Roots } from "../repository/roots.ts"
import { TimeSlice } from "../time-slice.ts"
import { Finder } from "./finder.ts"
import { newestOf } from "./found.ts"
import { resolveSearch, type SearchEnd, type SearchHit, type SearchOptions } from "./options.ts"
import { SessionOwners } from "./session-owners.ts"

/**
 * Yields what a query finds in one root or several, newest first, and returns how it ended; of a session that lies in several only
 * what the one has that it is read from.
 * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`; the signal's reason
 */
export async function* search(
  roots: Roots,
  text: string,
  options: SearchOptions,
): AsyncGenerator<SearchHit, SearchEnd> {
  const search = resolveSearch(text, options)
  if (search.query.wanted.length === 0) return { partial: false }
  const deadline = performance.now() + search.timeout
  const several = roots.all.length > 1
  const owners = new SessionOwners(roots)
  const found = await Promise.all(
    roots.all.map(async (root) => {
      const finder = new Finder(root, search, {
        isRead: async (sessionID) => !several || (await owners.of(sessionID)) === root,
        origin: several ? root.place : undefined,
      })
      return { root, finder, entries: (await finder.listTitles()) ?? [] }
    }),
  )
  // A session may lie in another project elsewhere.
  if (several && search.projectID === undefined) owners.note(found)
  const streams = found.flatMap(({ finder, entries }) => [finder.titles(entries), finder.texts()])
  const slice = new TimeSlice(search.signal)
  let given = 0
  for await (const found of newestOf(streams)) {
    await slice.pass()
    // What was passed is only a chance to stop.
    if (found.kind !== "passed") {
      if (given === search.limit) return { partial: true, reason: "limit" }
      yield found
      given++
    }
    if (performance.now() > deadline) return { partial: true, reason: "timeout" }
  }
  return { partial: false }
}
