import { comparePosition } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"
import type { Range, SessionCopy, SessionEntry } from "../root/catalog.ts"
import type { Root } from "../root/root.ts"

/** A session's position in a listing over all roots, and the root it is read from. */
export interface RootedEntry extends SessionEntry {
  readonly root: Root
}

/** The root that a session is read from, and how new it is there. */
export interface ReadVersion {
  readonly root: Root
  readonly updated: number
  /** Whether another root has a version with the same time and another number of messages. */
  readonly tied: boolean
}

/** How many ids the other roots are asked about at a time. */
const RUN = 1_000
/** How many entries more than a page are asked for, since some sessions may be read from another root. */
const SPARE = 8

/** A root, or one of the projects in it. */
export interface View {
  readonly root: Root
  readonly projectID: string | undefined
}

/** An entry of one view's listing: the index of the view, and the entry's index there. */
interface Listed {
  readonly at: number
  readonly index: number
  readonly entry: SessionEntry
}

/**
 * Lists the sessions of several roots, or of several projects in them, in order, each once. A session is read from the root where its
 * `time.updated` is newest; among equals where it has most messages; then from the first root. Of equal copies in one root the last
 * project's counts. Each root is asked for its own listing, and the others for their copies of just those ids. So a page costs about as much
 * as in one root of the same size, and nothing is kept beside the roots that could disagree with them.
 */
export class OwnedSessions {
  readonly #views: readonly View[]
  readonly #isRead: (id: string, version: ReadVersion) => boolean
  readonly #isMeant: (root: Root) => boolean

  /**
   * @param isRead called with each session and the root where it is newest; returns whether to list it
   * @param isMeant whether to list sessions that are read from a root
   */
  constructor(
    views: readonly View[],
    isRead: (id: string, version: ReadVersion) => boolean,
    isMeant: (root: Root) => boolean,
  ) {
    this.#views = views
    this.#isRead = isRead
    this.#isMeant = isMeant
  }

  /** As `Catalog.sessions`. Which root each session is read from is decided before the first is given. */
  async list(query: SessionQuery, range: Range): Promise<Iterable<RootedEntry>> {
    // All questions share one look at each root.
    const within = { ...range, moment: range.moment ?? {} }
    return range.limit === undefined ? this.#all(query, within) : this.#first(range.limit, query, within)
  }

  async #first(limit: number, query: SessionQuery, range: Range): Promise<RootedEntry[]> {
    const found: RootedEntry[] = []
    for (let after = range.after; found.length < limit; ) {
      const size = limit - found.length + SPARE
      const lists = await this.#lists(query, { ...range, after, limit: size })
      const run = firstOf(merged(lists, query.direction), size)
      const owned = await this.#owned(run, query, range)
      for (const listed of run) if (owned.has(listed)) found.push(this.#rooted(listed))
      after = run.at(-1)?.entry
      if (run.length < size) break
    }
    return found.slice(0, limit)
  }

  async #all(query: SessionQuery, range: Range): Promise<Iterable<RootedEntry>> {
    const lists = await this.#lists(query, range)
    const elsewhere = lists.map(() => new Set<number>())
    let run: Listed[] = []
    const decide = async (): Promise<void> => {
      const owned = await this.#owned(run, query, range)
      for (const listed of run) if (!owned.has(listed)) elsewhere[listed.at]?.add(listed.index)
      run = []
    }
    for (const listed of merged(lists, query.direction)) {
      run.push(listed)
      if (run.length === RUN) await decide()
    }
    await decide()
    const rooted = (listed: Listed): RootedEntry => this.#rooted(listed)
    return {
      *[Symbol.iterator]() {
        for (const listed of merged(lists, query.direction))
          if (!elsewhere[listed.at]?.has(listed.index)) yield rooted(listed)
      },
    }
  }

  async #lists(query: SessionQuery, range: Range): Promise<Iterable<SessionEntry>[]> {
    const lists: Iterable<SessionEntry>[] = []
    for (const { root, projectID } of this.#views)
      lists.push(this.#isMeant(root) ? await root.catalog.sessions({ ...query, projectID }, range) : [])
    return lists
  }

  #rooted({ at, entry }: Listed): RootedEntry {
    return { ...entry, root: this.#root(at) }
  }

  #root(at: number): Root {
    const view = this.#views[at]
    if (!view) throw new Error(`There is no root ${at}`)
    return view.root
  }

  /** Those of a run that are read from the root that lists them. */
  async #owned(run: readonly Listed[], query: SessionQuery, range: Range): Promise<ReadonlySet<Listed>> {
    const copies = await this.#copies(run, query, range)
    const owned = new Set<Listed>()
    for (const listed of run) {
      const { at, entry } = listed
      const updated = tellsUpdated(query) ? entry.time : copies[at]?.get(entry.id)?.updated
      // If it is gone from here since it was listed, another root that still has it lists it.
      if (updated === undefined) continue
      const others = copies.flatMap((of, other) => {
        const copy = other === at ? undefined : of.get(entry.id)
        return copy ? [{ other, updated: copy.updated }] : []
      })
      if (others.some((copy) => copy.updated > updated)) continue
      const alike = others.filter((copy) => copy.updated === updated).map(({ other }) => other)
      // Several projects of one root have the same messages, so the last project counts.
      if (alike.some((other) => other > at && this.#root(other) === this.#root(at))) continue
      const roots = [at, ...alike].sort((a, b) => a - b).map((index) => this.#root(index))
      const { root, tied } = await mostMessages(entry.id, [...new Set(roots)])
      if (root === this.#root(at) && this.#isRead(entry.id, { root, updated, tied })) owned.add(listed)
    }
    return owned
  }

  /** The copies that each view has of a run's sessions that others list; also of its own if the order does not tell how new they are. */
  async #copies(
    run: readonly Listed[],
    query: SessionQuery,
    { moment, signal }: Range,
  ): Promise<ReadonlyMap<string, SessionCopy>[]> {
    const copies: ReadonlyMap<string, SessionCopy>[] = []
    for (const [at, { root, projectID }] of this.#views.entries()) {
      const asked = run.filter((listed) => !tellsUpdated(query) || listed.at !== at)
      const ids = [...new Set(asked.map(({ entry }) => entry.id))]
      copies.push(
        ids.length === 0 ? new Map() : await root.catalog.copies(ids, projectID, { moment, signal }),
      )
    }
    return copies
  }
}

/** Whether an entry's position tells how new the session is. */
function tellsUpdated({ order, by }: SessionQuery): boolean {
  return order === "updated" && by === undefined
}

/** Merges listings that are in order. */
function* merged(lists: readonly Iterable<SessionEntry>[], direction: "asc" | "desc"): Generator<Listed> {
  const sign = direction === "asc" ? 1 : -1
  const heads = lists.map((list, at) => {
    const entries = list[Symbol.iterator]()
    return { at, entries, index: 0, next: entries.next() }
  })
  for (;;) {
    let first: (typeof heads)[number] | undefined
    for (const head of heads)
      if (
        !head.next.done &&
        (!first || first.next.done || sign * comparePosition(head.next.value, first.next.value) < 0)
      )
        first = head
    if (!first || first.next.done) return
    yield { at: first.at, index: first.index++, entry: first.next.value }
    first.next = first.entries.next()
  }
}

/** The first `size` entries, and all at the same position as the last one: a page must not end between copies of one session. */
function firstOf(all: Iterable<Listed>, size: number): Listed[] {
  const first: Listed[] = []
  for (const listed of all) {
    const last = first.at(-1)?.entry
    if (first.length >= size && (!last || comparePosition(last, listed.entry) !== 0)) break
    first.push(listed)
  }
  return first
}

/** The first root with the most messages of a session, and whether the numbers differ. */
export async function mostMessages(
  id: string,
  roots: readonly Root[],
): Promise<{ root: Root | undefined; tied: boolean }> {
  const [first, ...others] = roots
  if (!first || others.length === 0) return { root: first, tied: false }
  let [root, most, tied] = [first, await first.catalog.countMessages(id), false]
  for (const other of others) {
    const count = await other.catalog.countMessages(id)
    tied ||= count !== most
    if (count > most) [root, most] = [other, count]
  }
  return { root, tied }
}
