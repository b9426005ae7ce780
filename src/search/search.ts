import type { Candidate } from "../database/text-statements.ts"
import { TimeSlice } from "../file/time-slice.ts"
import { fieldsOf, sessionFields } from "../record/extract.ts"
import { fold } from "../record/fold.ts"
import { checkKey } from "../record/key.ts"
import { compareText } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"
import { matchesTexts, type ParsedQuery, parseQuery } from "../record/search-query.ts"
import { cleanText } from "../record/search-text.ts"
import { holds, readBody } from "../repository/bodies.ts"
import type { Catalog } from "../repository/catalog.ts"
import { checkChoice, checkLimit, checkTime } from "../repository/check.ts"
import { folderNames } from "../repository/file-catalog.ts"
import { type CandidateSources, candidates } from "./candidates.ts"
import { type MessageText, readMessageDocument } from "./message-texts.ts"
import { cutSnippet, type Snippet } from "./snippet.ts"

/** Where to search, and how much. */
export interface SearchOptions {
  projectID?: string | undefined
  sessionID?: string | undefined
  /** Only messages of this role. */
  role?: string | undefined
  /** Only parts of this type, or of this tool. */
  type?: string | undefined
  tool?: string | undefined
  /** Only what is from this time on, or up to it, ms since 1970. */
  since?: number | undefined
  until?: number | undefined
  /** By default `"all"`. */
  in?: "title" | "text" | "all" | undefined
  /** At most so many hits; by default 50. */
  limit?: number | undefined
  /** Go on behind this hit of an earlier search. */
  after?: Pick<SearchHit, "kind" | "sessionID" | "messageID" | "time"> | undefined
  /** First look at every file that changed; without it, changes by other programs are found once a sweep has seen them. */
  fresh?: boolean | undefined
  /** Give up after so many ms and say so; by default 10,000. A look at the files that `fresh` asks for comes before that. */
  timeout?: number | undefined
  signal?: AbortSignal | undefined
}

/** Something found; its file was looked at just before. */
export interface SearchHit extends Snippet {
  readonly kind: "title" | "text"
  readonly sessionID: string
  readonly messageID?: string
  /** The first part that matches; absent where the message itself does. */
  readonly partID?: string
  /** The session's title. */
  readonly title: string
  /** The folder it was found in, where a store reads several. */
  readonly origin?: string
  /** When the message was created or the session updated, ms since 1970. */
  readonly time: number
}

/** How a search ended: whether there may be more, and why it stopped before that. */
export interface SearchEnd {
  readonly partial: boolean
  readonly reason?: "limit" | "timeout" | "indexing"
}

export const DEFAULT_LIMIT = 50
const DEFAULT_TIMEOUT_MS = 10_000

/** What a search of one store goes by. */
export interface SearchSources extends CandidateSources {
  readonly catalog: Catalog
  /** What the store was opened with. */
  readonly mode: "all" | "titles" | "off"
}

/**
 * Yields what a query finds, newest first; returns how it ended.
 * @param isWanted tells of a session's hits whether they are wanted: not where the session is read from another root
 * @throws TypeError for options that make no sense; StoreError `INVALID_KEY`; the signal's reason
 */
export async function* search(
  sources: SearchSources,
  text: string,
  options: SearchOptions,
  isWanted?: (sessionID: string) => Promise<boolean>,
): AsyncGenerator<SearchHit, SearchEnd> {
  const query = parseQuery(text)
  const where = checkChoice("in", options.in, ["title", "text", "all"], "all")
  const limit = checkLimit(options.limit) ?? DEFAULT_LIMIT
  checkTime("since", options.since)
  checkTime("until", options.until)
  if (Number.isNaN(options.timeout)) throw new TypeError("timeout must be a number of ms, not NaN")
  for (const id of [options.projectID, options.sessionID]) if (id !== undefined) checkKey([id])
  if (query.wanted.length === 0) return { partial: false }
  const deadline = performance.now() + (options.timeout ?? DEFAULT_TIMEOUT_MS)
  const finder = new Finder(sources, query, options)
  const titles = where === "text" || sources.mode === "off" ? none() : finder.titles()
  const texts = where === "title" || sources.mode !== "all" ? none() : finder.texts()
  const slice = new TimeSlice(options.signal)
  let given = 0
  for await (const hit of newestOf(titles, texts)) {
    await slice.pass()
    if (hit === undefined || (isWanted && !(await isWanted(hit.sessionID)))) {
      // A candidate that was none: only a chance to stop.
      if (performance.now() > deadline) return { partial: true, reason: "timeout" }
      continue
    }
    if (given === limit) return { partial: true, reason: "limit" }
    yield hit
    given++
    if (performance.now() > deadline) return { partial: true, reason: "timeout" }
  }
  return { partial: false }
}

/** A hit, or `undefined` for a candidate that was none. */
type Found = SearchHit | undefined

async function* none(): AsyncGenerator<Found> {}

/** Merges two streams of hits, each newest first. */
async function* newestOf(a: AsyncGenerator<Found>, b: AsyncGenerator<Found>): AsyncGenerator<Found> {
  let [x, y] = [await a.next(), await b.next()]
  while (!x.done || !y.done) {
    const first =
      y.done ||
      (!x.done && (x.value === undefined || (y.value !== undefined && x.value.time >= y.value.time)))
    if (first && !x.done) {
      yield x.value
      x = await a.next()
    } else if (!y.done) {
      yield y.value
      y = await b.next()
    }
  }
}

class Finder {
  readonly #sources: SearchSources
  readonly #query: ParsedQuery
  readonly #options: SearchOptions
  readonly #titles = new Map<string, string>()
  readonly #seen = new Set<string>()
  /** The projects' folders, as they were when the first title was asked for. */
  #projects: string[] | undefined

  constructor(sources: SearchSources, query: ParsedQuery, options: SearchOptions) {
    this.#sources = sources
    this.#query = query
    this.#options = options
  }

  /** Hits in titles, by the time the session was updated. */
  async *titles(): AsyncGenerator<Found> {
    const { projectID, sessionID, role, type, tool, since, until, after, signal } = this.#options
    // What only messages and parts have, titles have not.
    if (role !== undefined || type !== undefined || tool !== undefined) return
    const query: SessionQuery = {
      projectID,
      updatedSince: since,
      search: this.#query,
      archived: "include",
      order: "updated",
      direction: "desc",
    }
    for (const { id, project, time } of await this.#sources.catalog.sessions(query, { signal })) {
      if ((sessionID !== undefined && id !== sessionID) || (until !== undefined && time > until)) continue
      if (after && !isBehind({ kind: "title", sessionID: id, time }, after)) continue
      const body = await readBody(this.#sources.files, { kind: "session", folder: project }, id)
      const { title } = body ? sessionFields(body) : { title: null }
      if (title === null || !matchesTexts(this.#query, [fold(title)])) yield undefined
      else {
        const snippet = cutSnippet(cleanText(title), this.#query.wanted)
        yield { kind: "title", sessionID: id, title, time, ...snippet }
      }
    }
  }

  /** Hits in messages, by the time they were created. */
  async *texts(): AsyncGenerator<Found> {
    const { sessionID: session, role, since, until } = this.#options
    for await (const candidate of candidates(this.#sources, this.#query, { session, role, since, until })) {
      // One id may lie in several sessions.
      const id = `${candidate.session}/${candidate.id}`
      if (this.#seen.has(id) || !this.#mayBe(candidate)) {
        yield undefined
        continue
      }
      const hit = await this.#look(candidate)
      if (hit) this.#seen.add(id)
      yield hit
    }
  }

  #mayBe({ id, session, time }: Candidate): boolean {
    const { projectID, sessionID, after } = this.#options
    if (sessionID !== undefined && session !== sessionID) return false
    if (
      projectID !== undefined &&
      !holds(this.#sources.files, { kind: "session", folder: projectID }, session)
    )
      return false
    return !after || isBehind({ kind: "text", sessionID: session, messageID: id, time }, after)
  }

  /** The message's own files decide. */
  async #look({ id, session }: Candidate): Promise<SearchHit | undefined> {
    const { role, type, tool, since, until } = this.#options
    const document = await readMessageDocument(this.#sources.files, session, id)
    if (!document || (role !== undefined && document.role !== role)) return undefined
    const time = document.created
    if ((since !== undefined && time < since) || (until !== undefined && time > until)) return undefined
    const { wanted, excluded } = this.#query
    const missing = new Set(wanted)
    let first: MessageText | undefined
    for await (const text of document.texts) {
      if ((type !== undefined && text.type !== type) || (tool !== undefined && text.tool !== tool)) continue
      if (excluded.some((term) => text.folded.includes(term))) return undefined
      for (const term of missing) {
        if (!text.folded.includes(term)) continue
        missing.delete(term)
        first ??= text
      }
      // Nothing that follows can change the hit.
      if (missing.size === 0 && excluded.length === 0) break
    }
    return first && missing.size === 0 ? this.#hit(session, id, time, first) : undefined
  }

  async #hit(
    sessionID: string,
    messageID: string,
    time: number,
    { partID, text }: MessageText,
  ): Promise<SearchHit> {
    return {
      kind: "text",
      sessionID,
      messageID,
      ...(partID !== undefined && { partID }),
      title: await this.#title(sessionID),
      time,
      ...cutSnippet(text, this.#query.wanted),
    }
  }

  async #title(sessionID: string): Promise<string> {
    const known = this.#titles.get(sessionID)
    if (known !== undefined) return known
    const { files } = this.#sources
    this.#projects ??= folderNames(files, "session")
    const at = this.#projects.findIndex((folder) => holds(files, { kind: "session", folder }, sessionID))
    const folder = at < 0 ? undefined : this.#projects.splice(at, 1)[0]
    // What is found next is often of the same project.
    if (folder !== undefined) this.#projects.unshift(folder)
    const place = folder === undefined ? undefined : ({ kind: "session", folder } as const)
    const { title } = fieldsOf(place && (await readBody(files, place, sessionID)))
    const text = typeof title === "string" ? title : ""
    this.#titles.set(sessionID, text)
    return text
  }
}

type Place = Pick<SearchHit, "kind" | "sessionID" | "messageID" | "time">

/** Whether a hit comes after another one in the order of a search. */
export function isBehind(a: Place, b: Place): boolean {
  if (a.time !== b.time) return a.time < b.time
  if (a.kind !== b.kind) return a.kind === "text"
  const order = compareText(a.messageID ?? a.sessionID, b.messageID ?? b.sessionID)
  return (order === 0 ? compareText(a.sessionID, b.sessionID) : order) < 0
}
