import { fieldsOf, sessionFields } from "../record/extract.ts"
import { fold } from "../record/fold.ts"
import { comparePosition } from "../record/order.ts"
import type { SessionQuery } from "../record/query.ts"
import { matchesTexts } from "../record/search-query.ts"
import { cleanText } from "../record/search-text.ts"
import type { SessionEntry } from "../root/catalog.ts"
import type { Root } from "../root/root.ts"
import type { Candidate, MessageText, TextLook } from "../root/text-source.ts"
import { type Found, isBehind } from "./found.ts"
import type { Search, SearchHit } from "./options.ts"
import { cutSnippet } from "./snippet.ts"

/** What the finders of one search have in common. */
export interface FinderContext {
  /** What was found already, by the name of its place (`hitName`), and is not found again. */
  readonly found: Set<string>
  /** What of the texts can be searched now. */
  readonly look: TextLook
  /** The search, as in the range of a listing. */
  readonly question: object
  /** Whether a session is read from this root; asked before anything of it is. */
  readonly isRead: (sessionID: string) => Promise<boolean>
  /** Whether the store reads several roots: then hits name theirs. */
  readonly isOneOfSeveral: boolean
}

/** Finds what a search asks for in one root: its titles and its texts, each newest first. */
export class Finder {
  readonly #root: Root
  readonly #search: Search
  readonly #context: FinderContext
  readonly #titles = new Map<string, string>()
  /** The project of the session whose title was read last: that of the next is often the same. */
  #project: string | undefined
  #inDirectory: Promise<ReadonlySet<string>> | undefined

  constructor(root: Root, search: Search, context: FinderContext) {
    this.#root = root
    this.#search = search
    this.#context = context
  }

  /** Sessions whose titles match, the one updated last first; `undefined` where titles are not looked for. */
  async listTitles(): Promise<Iterable<SessionEntry> | undefined> {
    const { query, in: where, projects, sources, directory, role, type, tool, since, signal } = this.#search
    // What only messages and parts have, titles have not.
    const isOfTitles = where !== "text" && [role, type, tool].every((only) => only === undefined)
    if (!isOfTitles || this.#root.texts.mode === "off") return undefined
    const asked: SessionQuery = {
      sources,
      directory,
      updatedSince: since,
      search: query,
      archived: "include",
      order: "updated",
      direction: "desc",
    }
    const list = (projectID: string | undefined): Promise<Iterable<SessionEntry>> =>
      this.#root.catalog.sessions({ ...asked, projectID }, { signal })
    if (projects.length === 1) return list(projects[0])
    const all: SessionEntry[] = []
    for (const projectID of projects) all.push(...(await list(projectID)))
    return all.sort((a, b) => comparePosition(b, a))
  }

  /** Hits in titles of a listing, by the time the session was updated. */
  async *titles(entries: Iterable<SessionEntry>): AsyncGenerator<Found> {
    const { sessionID, until, after } = this.#search
    for (const { id, project, time, from } of entries) {
      if ((sessionID !== undefined && id !== sessionID) || (until !== undefined && time > until)) continue
      if (after && !isBehind({ kind: "title", sessionID: id, time }, after)) continue
      yield (await this.#titleHit(id, project, time, from?.source)) ?? { kind: "passed", time }
    }
  }

  async #titleHit(
    sessionID: string,
    folder: string,
    time: number,
    source: string | undefined,
  ): Promise<SearchHit | undefined> {
    if (!(await this.#context.isRead(sessionID))) return undefined
    const { query } = this.#search
    const name = hitName(sessionID)
    if (this.#context.found.has(name)) return undefined
    const [body] = await this.#root.records.read("session", folder, [sessionID])
    const { title } = body ? sessionFields(body) : { title: null }
    if (title === null || !matchesTexts(query, [fold(title)])) return undefined
    this.#context.found.add(name)
    const snippet = cutSnippet(cleanText(title), query.wanted)
    return { kind: "title", sessionID, title, ...this.#origin(source), time, ...snippet }
  }

  /** Hits in messages, by the time they were created. */
  async *texts(): AsyncGenerator<Found> {
    if (this.#search.in === "title" || this.#root.texts.mode !== "all") return
    const { query, sessionID: session, role, since, until, sources, signal } = this.#search
    const filter = { session, role, since, until, sources }
    for await (const candidate of this.#context.look.candidates(query, filter, signal)) {
      const { found, isRead } = this.#context
      const name = hitName(candidate.session, candidate.id)
      const hit =
        !found.has(name) && (await this.#mayBe(candidate)) && (await isRead(candidate.session))
          ? await this.#look(candidate)
          : undefined
      if (hit) found.add(name)
      yield hit ?? { kind: "passed", time: candidate.time }
    }
  }

  async #mayBe({ id, session, time }: Candidate): Promise<boolean> {
    const { projects, sessionID, directory, after } = this.#search
    if (sessionID !== undefined && session !== sessionID) return false
    if (directory !== undefined && !(await this.#sessionsIn(directory)).has(session)) return false
    if (!(await this.#isOfProjects(projects, session))) return false
    return !after || isBehind({ kind: "text", sessionID: session, messageID: id, time }, after)
  }

  async #isOfProjects(projects: Search["projects"], session: string): Promise<boolean> {
    const { records } = this.#root
    const { question } = this.#context
    for (const project of projects)
      if (project === undefined || (await records.holds("session", project, session, question))) return true
    return false
  }

  /** The sessions that ran in a work tree, as they are when the first message is looked at. */
  #sessionsIn(directory: string): Promise<ReadonlySet<string>> {
    const list = async (): Promise<ReadonlySet<string>> => {
      const query = { directory, archived: "include", order: "updated", direction: "desc" } as const
      const entries = await this.#root.catalog.sessions(query, { signal: this.#search.signal })
      const ids = new Set<string>()
      for (const { id } of entries) ids.add(id)
      return ids
    }
    this.#inDirectory ??= list()
    return this.#inDirectory
  }

  /** The message's own files decide. */
  async #look({ id, session, source }: Candidate): Promise<SearchHit | undefined> {
    const { query, role, type, tool, since, until } = this.#search
    const { look } = this.#context
    const document = await (look.document?.(session, id) ?? this.#root.texts.document(session, id))
    if (!document || (role !== undefined && document.role !== role)) return undefined
    const time = document.created
    if ((since !== undefined && time < since) || (until !== undefined && time > until)) return undefined
    const { wanted, excluded } = query
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
    return first && missing.size === 0 ? this.#hit(session, id, time, first, source) : undefined
  }

  async #hit(
    sessionID: string,
    messageID: string,
    time: number,
    { partID, text }: MessageText,
    source: string | undefined,
  ): Promise<SearchHit> {
    return {
      kind: "text",
      sessionID,
      messageID,
      ...(partID !== undefined && { partID }),
      title: await this.#title(sessionID),
      ...this.#origin(source),
      time,
      ...cutSnippet(text, this.#search.query.wanted),
    }
  }

  /** @param source whose history the session is, where the root holds those of several agents */
  #origin(source: string | undefined): Pick<SearchHit, "origin" | "source"> {
    const { place } = this.#root
    return this.#context.isOneOfSeveral ? { origin: place, source: source ?? this.#root.source } : {}
  }

  async #title(sessionID: string): Promise<string> {
    const known = this.#titles.get(sessionID)
    if (known !== undefined) return known
    const { records } = this.#root
    const { question } = this.#context
    let folder = this.#project
    if (folder === undefined || !(await records.holds("session", folder, sessionID, question)))
      folder = (await records.foldersOf("session", sessionID, undefined, question))[0]
    this.#project = folder
    const [body] =
      folder === undefined ? [] : await records.read("session", folder, [sessionID], undefined, question)
    const { title } = fieldsOf(body)
    const text = typeof title === "string" ? title : ""
    this.#titles.set(sessionID, text)
    return text
  }
}

/** One id may lie in several sessions. */
function hitName(sessionID: string, messageID = ""): string {
  return `${sessionID}/${messageID}`
}
