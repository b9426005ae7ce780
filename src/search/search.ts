import type { Roots } from "../repository/roots.ts"
import { pause, TimeSlice, unlessAborted } from "../time-slice.ts"
import { Finder } from "./finder.ts"
import { newestOf } from "./found.ts"
import { resolveSearch, type Search, type SearchEnd, type SearchHit, type SearchOptions } from "./options.ts"
import { SessionOwners } from "./session-owners.ts"

/** How long a search waits before it looks at what is indexed so far, in ms: so long all hits come newest first. */
const PATIENCE_MS = 500

/**
 * Yields what a query finds in one root or several, newest first, and returns how it ended; of a session that lies in several only
 * what the one has that it is read from.
 *
 * While the roots are being indexed it looks again and again at what there is so far, at most half of the time, and yields what it
 * had not found before.
 * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`, `EXHAUSTED`; the signal's reason
 */
export async function* search(
  roots: Roots,
  text: string,
  options: SearchOptions,
): AsyncGenerator<SearchHit, SearchEnd> {
  const asked = performance.now()
  const search = resolveSearch(text, options)
  if (search.query.wanted.length === 0) return { partial: false }
  const { signal } = search
  const texts = roots.all.filter(search.isMeant).map((root) => root.texts)
  if (search.fresh) for (const source of texts) await source.refresh(signal)
  const deadline = performance.now() + search.timeout
  const passes = new Passes(roots, search, asked, deadline)
  // Titles are listed from the files as they are; so are the messages of one session, where need be.
  const isIndexNeeded = search.in !== "title" && search.sessionID === undefined && !search.fresh
  if (!isIndexNeeded || !texts.some(({ mode }) => mode === "all")) return yield* passes.pass(false)
  if (search.wait === false) {
    for (const source of texts) await source.makeWholeLater()
    return yield* passes.pass(true)
  }
  const left = new AbortController()
  const indexing = Promise.all(texts.map((source) => source.makeWhole(left.signal)))
  // Whoever leaves before that is not told.
  indexing.catch(() => {})
  try {
    for (let wait = Math.min(PATIENCE_MS, search.timeout / 2); ; ) {
      const indexed = await isDone(indexing, wait, signal)
      const begun = performance.now()
      if (!indexed && passes.count > 0 && begun >= deadline) return { partial: true, reason: "timeout" }
      const end = yield* passes.pass(!indexed)
      if (end.reason !== "indexing") return end
      wait = Math.min(Math.max(PATIENCE_MS, performance.now() - begun), deadline - performance.now())
    }
  } finally {
    left.abort()
  }
}

/** Whether something is done within so many ms. @throws what it throws; the signal's reason */
async function isDone(work: Promise<unknown>, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  const enough = new AbortController()
  try {
    return await unlessAborted(
      Promise.race([work.then(() => true), pause(Math.max(0, ms), enough.signal).then(() => false)]),
      signal,
    )
  } finally {
    enough.abort()
  }
}

/** The looks that one search takes at what there is. */
class Passes {
  readonly #roots: Roots
  readonly #search: Search
  readonly #asked: number
  readonly #deadline: number
  readonly #owners: SessionOwners
  readonly #question = {}
  readonly #found = new Set<string>()
  readonly #slice: TimeSlice
  #given = 0
  count = 0

  /** @param asked when the search was asked for, ms of `performance.now()` */
  constructor(roots: Roots, search: Search, asked: number, deadline: number) {
    this.#roots = roots
    this.#search = search
    this.#asked = asked
    this.#deadline = deadline
    this.#owners = new SessionOwners(roots, this.#question)
    this.#slice = new TimeSlice(search.signal)
  }

  /**
   * Yields what no pass before has found, newest first; ends with `indexing` where it lacked something.
   * @throws StoreError `CLOSED` where the store was closed since
   */
  async *pass(mayLack: boolean): AsyncGenerator<SearchHit, SearchEnd> {
    this.count++
    const several = this.#roots.all.length > 1
    const parts = await Promise.all(
      this.#roots
        .reachable()
        .filter(this.#search.isMeant)
        .map(async (root) => {
          const look = await root.texts.look(mayLack, this.#asked)
          const finder = new Finder(root, this.#search, {
            found: this.#found,
            look,
            question: this.#question,
            isRead: async (sessionID) => !several || (await this.#owners.of(sessionID)) === root,
            isOneOfSeveral: several,
          })
          return { root, whole: look.whole, finder, entries: (await finder.listTitles()) ?? [] }
        }),
    )
    // A session may lie in another project elsewhere.
    const { projects, directory } = this.#search
    if (several && projects.includes(undefined) && directory === undefined) this.#owners.note(parts)
    const streams = parts.flatMap(({ finder, entries }) => [finder.titles(entries), finder.texts()])
    for await (const found of newestOf(streams)) {
      await this.#slice.pass()
      // What was passed is only a chance to stop.
      if (found.kind !== "passed") {
        if (this.#given === this.#search.limit) return { partial: true, reason: "limit" }
        yield found
        this.#given++
      }
      if (performance.now() > this.#deadline) return { partial: true, reason: "timeout" }
    }
    return parts.every(({ whole }) => whole) ? { partial: false } : { partial: true, reason: "indexing" }
  }
}
