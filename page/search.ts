import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import type { Api } from "./api.ts"
import { type Filter, filterKey, filterParameters } from "./filter.ts"
import { numberOf, textOf } from "./format.ts"
import { Model } from "./model.ts"

export interface Hit {
  readonly key: string
  readonly kind: string
  readonly sessionID: string
  readonly messageID?: string
  readonly partID?: string
  readonly title: string
  /** Whose history it was found in, where there are several. */
  readonly source: string
  readonly time: number
  readonly snippet: string
  readonly ranges: readonly (readonly [number, number])[]
}

/** Where a search looks. */
export interface Scope {
  readonly filter?: Filter | undefined
  readonly session?: string | undefined
  readonly kind: "all" | "title" | "text" | "tool"
}

const LIMIT = 50
/** How long a pause in typing has to be. */
const PAUSE = 120

/** A search as it is typed: a new query ends the one before. */
export class Search extends Model {
  readonly #api: Api
  #request: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Where a search that stopped early goes on. */
  #after: string | undefined
  query = ""
  scope: Scope = { kind: "all" }
  hits: readonly Hit[] = []
  state: "idle" | "searching" | "done" | "error" = "idle"
  /** Why there may be more than was found. */
  partial: string | undefined
  error: unknown

  constructor(api: Api) {
    super()
    this.#api = api
  }

  get canGrow(): boolean {
    return this.state === "done" && this.#after !== undefined
  }

  /** Asks anew after a pause in typing; nothing is asked for a blank query. */
  ask(query: string, scope: Scope = this.scope): void {
    const same = query.trim() === this.query.trim() && scopeKey(scope) === scopeKey(this.scope)
    this.query = query
    this.scope = scope
    this.changed()
    if (same && this.state !== "error") return
    this.#request?.abort()
    clearTimeout(this.#timer)
    if (query.trim() === "") {
      this.hits = []
      this.state = "idle"
      return
    }
    this.state = "searching"
    this.#timer = setTimeout(() => void this.#run(), PAUSE)
  }

  /** Follows the page to another session, or to none: a search in the one that was open looks everywhere again. */
  follow(session: string | undefined): void {
    if (this.scope.session === undefined || this.scope.session === session) return
    this.ask(this.query, { ...this.scope, session: undefined })
  }

  /** Looks for more behind what was found. */
  async more(): Promise<void> {
    await this.#run(this.#after)
  }

  /** Asks the same again, as after a failure. */
  async again(): Promise<void> {
    await this.#run()
  }

  async #run(after?: string): Promise<void> {
    this.#request?.abort()
    const request = new AbortController()
    this.#request = request
    this.state = "searching"
    this.changed()
    const found: Hit[] = after === undefined ? [] : [...this.hits]
    this.partial = this.#after = undefined
    try {
      for await (const line of this.#api.lines(`search?${this.#parameters(after)}`, request.signal)) {
        const hit = readHit(line)
        if (hit) found.push(hit)
        else this.#readEnd(fieldsOf(line.end))
        // What was found before stays in sight until there is something to show in its place.
        if (found.length % 10 === 1) this.#show([...found])
      }
      if (request.signal.aborted) return
      this.#show(found)
      this.state = "done"
    } catch (error) {
      if (request.signal.aborted) return
      this.error = error
      this.state = "error"
    }
    this.changed()
  }

  #readEnd({ partial, reason, after }: JsonObject): void {
    if (partial !== true) return
    this.partial = textOf(reason) || "limit"
    this.#after = textOf(after) || undefined
  }

  #show(hits: readonly Hit[]): void {
    this.hits = hits
    this.changed()
  }

  #parameters(after: string | undefined): URLSearchParams {
    const { filter = {}, session, kind } = this.scope
    // Who is still typing sees what there is so far, and is told where that is not all.
    const parameters = new URLSearchParams({ q: this.query, limit: String(LIMIT), wait: "false" })
    if (after !== undefined) parameters.set("after", after)
    if (session !== undefined) parameters.set("session", session)
    else for (const [name, value] of filterParameters(filter)) parameters.append(name, value)
    if (kind === "tool") parameters.set("type", "tool")
    else if (kind !== "all") parameters.set("in", kind)
    return parameters
  }
}

/** A text by which scopes can be told apart. */
function scopeKey({ filter = {}, session, kind }: Scope): string {
  return JSON.stringify([filterKey(filter), session, kind])
}

/** Reads a hit; nothing where it has no session. */
export function readHit(line: JsonObject): Hit | undefined {
  const sessionID = textOf(line.sessionID)
  if (sessionID === "") return undefined
  const [messageID, partID] = [textOf(line.messageID), textOf(line.partID)]
  return {
    key: `${textOf(line.kind)} ${sessionID} ${messageID}`,
    kind: textOf(line.kind),
    sessionID,
    ...(messageID !== "" && { messageID }),
    ...(partID !== "" && { partID }),
    title: textOf(line.title) || "Untitled session",
    source: textOf(line.source),
    time: numberOf(line.time),
    snippet: textOf(line.snippet),
    ranges: Array.isArray(line.ranges) ? line.ranges.filter(isRange) : [],
  }
}

function isRange(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((end) => Number.isInteger(end))
}

/** A text cut at its ranges: what stands in one is marked. */
export function pieces(
  text: string,
  ranges: readonly (readonly [number, number])[],
): { readonly text: string; readonly marked: boolean }[] {
  const cut: { text: string; marked: boolean }[] = []
  let at = 0
  for (const [from, to] of ranges) {
    if (from < at || to <= from || to > text.length) continue
    if (from > at) cut.push({ text: text.slice(at, from), marked: false })
    cut.push({ text: text.slice(from, to), marked: true })
    at = to
  }
  if (at < text.length) cut.push({ text: text.slice(at), marked: false })
  return cut
}
