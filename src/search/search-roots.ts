import { checkLimit } from "../repository/check.ts"
import type { Root, Roots } from "../repository/roots.ts"
import {
  DEFAULT_LIMIT,
  isBehind,
  type SearchEnd,
  type SearchHit,
  type SearchOptions,
  type SearchSources,
  search,
} from "./search.ts"

/** A root and what a search of it goes by. */
export interface SearchedRoot extends Root {
  readonly searched: SearchSources
}

/**
 * Searches several roots at once and yields the hits of all, newest first; of a session that lies in several only those of the
 * one it is read from.
 * @throws as `search`
 */
export async function* searchRoots(
  roots: Roots,
  searched: readonly SearchedRoot[],
  text: string,
  options: SearchOptions,
): AsyncGenerator<SearchHit, SearchEnd> {
  const [only] = searched
  if (only && searched.length === 1) return yield* search(only.searched, text, options)
  const limit = checkLimit(options.limit) ?? DEFAULT_LIMIT
  const owners = new Map<string, Root>()
  const streams = searched.map((root) =>
    search(root.searched, text, options, async (sessionID) => {
      const owner = owners.get(sessionID) ?? (await roots.ofSession(sessionID))
      owners.set(sessionID, owner)
      return owner === root
    }),
  )
  try {
    const heads = await Promise.all(streams.map((stream) => stream.next()))
    for (let given = 0; ; given++) {
      let first: { at: number; hit: SearchHit } | undefined
      for (const [at, head] of heads.entries())
        if (!head.done && (!first || isBehind(first.hit, head.value))) first = { at, hit: head.value }
      if (!first) break
      if (given === limit) return { partial: true, reason: "limit" }
      const origin = searched[first.at]?.files.directory
      yield origin === undefined ? first.hit : { ...first.hit, origin }
      const next = await streams[first.at]?.next()
      if (next) heads[first.at] = next
    }
    for (const head of heads) if (head.done && head.value.partial) return head.value
    return { partial: false }
  } finally {
    for (const stream of streams) await stream.return({ partial: true })
  }
}
