import { fieldsOf, isJsonObject, type JsonObject, sessionFields } from "../src/record/extract.ts"
import { type Api, ApiError, sized } from "./api.ts"
import type { Change } from "./events.ts"
import { type Filter, filterParameters, isMeant } from "./filter.ts"
import { dayOf, numberOf, textOf } from "./format.ts"
import { Model } from "./model.ts"
import { segment } from "./route.ts"

/** What the list shows of a session; the rest of the body is not kept. */
export interface SessionItem {
  readonly id: string
  readonly title: string
  readonly parentID: string | null
  readonly projectID: string
  readonly directory: string
  readonly created: number
  readonly updated: number
  readonly archived: boolean
  readonly additions: number
  readonly deletions: number
  /** Whose history it is read from, as `codex`. */
  readonly source: string
  /** Whether it is what was left by going back in its parent, and no agent's work. */
  readonly isBranch: boolean
}

export type SessionRow =
  | { readonly kind: "day"; readonly key: string; readonly label: string }
  | {
      readonly kind: "session"
      readonly key: string
      readonly session: SessionItem
      readonly depth: number
      /** Sessions directly under this one. */
      readonly children: number
      /** Those of them that are branches. */
      readonly branches: number
      readonly open: boolean
    }

const [PAGE, LARGEST_PAGE] = [200, 1000]
/** More changed sessions than this are not asked for one by one. */
const SINGLE = 20

/** Reads what the list shows; strange fields become empty ones. */
export function sessionItem(body: JsonObject, source = ""): SessionItem | undefined {
  const id = textOf(body.id)
  if (id === "") return undefined
  const { created, updated, parentID, directory, title, archived } = sessionFields(body)
  const summary = fieldsOf(body.summary)
  return {
    id,
    title: title?.trim() || "Untitled session",
    parentID: parentID === id ? null : parentID,
    projectID: textOf(body.projectID),
    directory: directory ?? "",
    created,
    updated,
    archived,
    additions: numberOf(summary.additions),
    deletions: numberOf(summary.deletions),
    source,
    isBranch: isBranch(body),
  }
}

/** Whether a session is what was left by going back in another. */
export function isBranch({ metadata }: JsonObject): boolean {
  return isJsonObject(fieldsOf(metadata).branch)
}

/** Reads a session that the server gave with its source beside it. */
function listedSession({ session, source }: JsonObject): SessionItem | undefined {
  return sessionItem(fieldsOf(session), textOf(source))
}

/** The sessions, newest first, loaded page by page; children under their parents. */
export class SessionList extends Model {
  readonly #api: Api
  #filter: Filter = {}
  #byID = new Map<string, SessionItem>()
  /** Parents that were asked for and are not there. */
  #missing = new Set<string>()
  #open = new Set<string>()
  #older: string | undefined
  #loading: AbortController | undefined
  #rows: readonly SessionRow[] | undefined
  #stale = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  state: "loading" | "ready" | "error" = "loading"
  error: unknown

  constructor(api: Api) {
    super()
    this.#api = api
  }

  get filter(): Filter {
    return this.#filter
  }

  get complete(): boolean {
    return this.state === "ready" && this.#older === undefined
  }

  get count(): number {
    return this.#byID.size
  }

  find(id: string): SessionItem | undefined {
    return this.#byID.get(id)
  }

  /** Shows the sessions that a filter asks for. */
  async show(filter: Filter): Promise<void> {
    this.#filter = filter
    this.#byID.clear()
    this.#missing.clear()
    await this.refresh()
  }

  /** Loads the newest sessions again; those behind them come when they are scrolled to. */
  async refresh(): Promise<void> {
    this.#loading?.abort()
    // As many as were there, so that whoever has scrolled down stays where they are.
    const limit = Math.max(PAGE, Math.min(LARGEST_PAGE, this.#byID.size))
    const query = new URLSearchParams([
      ["limit", String(limit)],
      ["order", "updated"],
      ["direction", "desc"],
      ["origin", "true"],
      ...filterParameters(this.#filter),
    ])
    await this.#load(`session?${query}`, true)
  }

  /** Loads the next older page. */
  async more(): Promise<void> {
    if (this.#loading || this.#older === undefined) return
    await this.#load(sized(this.#older, PAGE), false)
  }

  async #load(path: string, first: boolean): Promise<void> {
    const loading = new AbortController()
    this.#loading = loading
    this.state = "loading"
    this.changed()
    try {
      const { items, older } = await this.#api.page(path, loading.signal)
      const read = items.map(listedSession).filter((item) => item !== undefined)
      // A page begins a new chain: what was loaded from the old one may be gone.
      if (first) this.#byID.clear()
      for (const item of read) this.#byID.set(item.id, item)
      this.#older = older
      this.error = undefined
      await this.#parents(read, loading.signal)
      this.state = "ready"
    } catch (error) {
      if (loading.signal.aborted) return
      this.error = error
      this.state = "error"
    }
    if (this.#loading === loading) this.#loading = undefined
    this.#touch()
  }

  /** Asks for parents that are further down, so that no child waits for its parent. */
  async #parents(items: readonly SessionItem[], signal?: AbortSignal): Promise<void> {
    const wanted = new Set<string>()
    for (const { parentID } of items)
      if (parentID !== null && !this.#byID.has(parentID) && !this.#missing.has(parentID)) wanted.add(parentID)
    if (wanted.size === 0) return
    const found = await Promise.all([...wanted].map(async (id) => [id, await this.#ask(id, signal)] as const))
    for (const [id, item] of found)
      if (item) this.#byID.set(id, item)
      else this.#missing.add(id)
    await this.#parents(
      found.map(([, item]) => item).filter((item) => item !== undefined),
      signal,
    )
  }

  async #ask(id: string, signal?: AbortSignal): Promise<SessionItem | undefined> {
    try {
      const body = await this.#api.object(`session/${segment(id)}?origin=true`, signal)
      return body && listedSession(body)
    } catch (error) {
      // Its file cannot be read; a listing leaves it out too.
      if (error instanceof ApiError && error.status !== 0) return undefined
      throw error
    }
  }

  /** Takes part in what changed in the store; several changes are looked at together. */
  apply(change: Change): void {
    if (change.kind !== "session" && change.kind !== "store") return
    if (change.sessionID === "" || change.type === "unknown") this.#stale.add("")
    else this.#stale.add(change.sessionID)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#catchUp()
    }, 150)
  }

  async #catchUp(): Promise<void> {
    const ids = [...this.#stale]
    this.#stale.clear()
    if (ids.includes("") || ids.length > SINGLE) return await this.refresh()
    try {
      for (const id of ids) {
        const item = await this.#ask(id)
        if (!item) this.#byID.delete(id)
        else if (isMeant(this.#filter, item)) {
          this.#missing.delete(id)
          this.#byID.set(id, item)
          await this.#parents([item])
        }
      }
    } catch (error) {
      this.error = error
      this.state = "error"
    }
    this.#touch()
  }

  /** Shows a session's children, or no longer. */
  toggle(id: string, open = !this.#open.has(id)): void {
    if (open) this.#open.add(id)
    else this.#open.delete(id)
    this.#touch()
  }

  /** Opens what a session is nested in, where it is loaded. */
  reveal(id: string): void {
    let item = this.#byID.get(id)
    for (let depth = 0; item?.parentID && depth < 50; depth++) {
      this.#open.add(item.parentID)
      item = this.#byID.get(item.parentID)
    }
    this.#touch()
  }

  /** The rows to show. */
  get rows(): readonly SessionRow[] {
    this.#rows ??= listRows([...this.#byID.values()], this.#open)
    return this.#rows
  }

  #touch(): void {
    this.#rows = undefined
    this.changed()
  }
}

/** Sessions as rows: by day of their last change, newest first, children under their parents where those are open. */
export function listRows(
  sessions: readonly SessionItem[],
  open: ReadonlySet<string>,
  now = Date.now(),
): SessionRow[] {
  const known = new Set(sessions.map(({ id }) => id))
  const children = new Map<string, SessionItem[]>()
  const roots: SessionItem[] = []
  for (const session of sessions) {
    if (session.parentID === null || !known.has(session.parentID)) roots.push(session)
    else {
      const siblings = children.get(session.parentID)
      if (siblings) siblings.push(session)
      else children.set(session.parentID, [session])
    }
  }
  const rows: SessionRow[] = []
  const shown = new Set<string>()
  const show = (session: SessionItem, depth: number): void => {
    // Two sessions may name each other as parent.
    if (shown.has(session.id)) return
    shown.add(session.id)
    const below = children.get(session.id) ?? []
    const isOpen = below.length > 0 && open.has(session.id)
    rows.push({
      kind: "session",
      key: session.id,
      session,
      depth,
      children: below.length,
      branches: below.filter(({ isBranch }) => isBranch).length,
      open: isOpen,
    })
    if (isOpen) for (const child of below.sort(newestFirst)) show(child, depth + 1)
  }
  // Sorted by time, so a day's name is looked for once, not for each of its sessions.
  let morning = Number.POSITIVE_INFINITY
  let day = ""
  for (const session of [...roots, ...lost(children, roots)].sort(newestFirst)) {
    if (session.updated < morning) {
      const label = dayOf(session.updated, now)
      if (label !== day) rows.push({ kind: "day", key: `day ${rows.length}`, label })
      day = label
      const start = new Date(session.updated).setHours(0, 0, 0, 0)
      // A time beyond all dates begins no day.
      morning = Number.isNaN(start) ? Number.POSITIVE_INFINITY : start
    }
    show(session, 0)
  }
  return rows
}

/** One session of each circle of parents, which no root leads to. */
function lost(children: ReadonlyMap<string, SessionItem[]>, roots: readonly SessionItem[]): SessionItem[] {
  const reached = new Set<string>()
  const reach = (id: string): void => {
    const todo = [id]
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (reached.has(next)) continue
      reached.add(next)
      for (const child of children.get(next) ?? []) todo.push(child.id)
    }
  }
  for (const { id } of roots) reach(id)
  const found: SessionItem[] = []
  for (const below of children.values())
    for (const child of below)
      if (!reached.has(child.id)) {
        found.push(child)
        reach(child.id)
      }
  return found
}

function newestFirst(a: SessionItem, b: SessionItem): number {
  return b.updated - a.updated || (a.id < b.id ? -1 : 1)
}
