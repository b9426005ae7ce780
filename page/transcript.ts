import { fieldsOf, isJsonObject, type JsonObject } from "../src/record/extract.ts"
import type { Api, Page } from "./api.ts"
import { ApiError, objects, sized } from "./api.ts"
import type { Change } from "./events.ts"
import { textOf } from "./format.ts"
import { Model } from "./model.ts"
import { segment } from "./route.ts"

export interface TranscriptMessage {
  readonly id: string
  readonly info: JsonObject
  readonly parts: readonly JsonObject[]
}

/** One row of a transcript: the head of a message or one of its parts. */
export type TranscriptRow =
  | {
      readonly kind: "head"
      readonly key: string
      readonly message: TranscriptMessage
      /** Goes on where the message before ended: the same role, agent and model. */
      readonly follows: boolean
    }
  | {
      readonly kind: "part"
      readonly key: string
      readonly message: TranscriptMessage
      readonly part: JsonObject
    }

/** The first messages should come at once, the older ones in larger portions, and all of them in the largest. */
const [PAGE, OLDER_PAGE, LARGEST_PAGE] = [60, 200, 1000]
/** Marks that say nothing to a reader; a message's head carries their sums. */
const SILENT = new Set(["step-start", "step-finish", "snapshot"])

/** One session's messages: a contiguous stretch of them, growing at both ends. */
export class Transcript extends Model {
  readonly #api: Api
  readonly id: string
  #messages: readonly TranscriptMessage[] = []
  #rows: readonly TranscriptRow[] | undefined
  #older: string | undefined
  #newer: string | undefined
  #growing = new Map<"older" | "newer", Promise<void>>()
  readonly #end = new AbortController()
  readonly #stale = new Set<string>()
  readonly #unclaimed = new Set<string>()
  #refreshing = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #open = new Map<string, boolean>()
  session: JsonObject | undefined
  /** Whose history it is read from, as `codex`, and the place of that; empty until it is loaded. */
  source = ""
  origin = ""
  todos: readonly JsonObject[] = []
  children: readonly JsonObject[] = []
  diffs: readonly JsonObject[] | undefined
  state: "loading" | "ready" | "missing" | "error" = "loading"
  error: unknown
  /** Why older or newer messages could not be loaded. */
  pageError: unknown
  /** Grows with each stretch that has nothing to do with the one before: the view starts anew. */
  stretch = 0

  constructor(api: Api, id: string) {
    super()
    this.#api = api
    this.id = id
  }

  get #path(): string {
    return `session/${segment(this.id)}`
  }

  get messages(): readonly TranscriptMessage[] {
    return this.#messages
  }

  get hasOlder(): boolean {
    return this.#older !== undefined
  }

  /** Whether the last loaded message is not the session's last. */
  get hasNewer(): boolean {
    return this.#newer !== undefined
  }

  isBusy(end: "older" | "newer"): boolean {
    return this.#growing.has(end)
  }

  /** Stops all requests. */
  close(): void {
    this.#end.abort()
    clearTimeout(this.#timer)
  }

  /** Loads the session and its newest messages, or those around one. */
  async load(message?: string): Promise<void> {
    this.state = "loading"
    this.changed()
    const { signal } = this.#end
    try {
      await Promise.all([this.#loadSession(), this.#stretch(message), this.#sides()])
      this.state = this.session || this.#messages.length > 0 ? "ready" : "missing"
    } catch (error) {
      if (signal.aborted) return
      this.error = error
      this.state = error instanceof ApiError && error.status === 404 ? "missing" : "error"
    }
    this.#touch()
  }

  async #loadSession(): Promise<void> {
    const found = await this.#api.object(`${this.#path}?origin=true`, this.#end.signal)
    this.session = found && fieldsOf(found.session)
    this.source = textOf(found?.source)
    this.origin = textOf(found?.origin)
  }

  /** What lies beside a session; none of it is needed to read it. */
  async #sides(): Promise<void> {
    const { signal } = this.#end
    const side = async (name: string): Promise<readonly JsonObject[]> =>
      objects(await this.#api.json(`${this.#path}/${name}`, signal).catch(() => []))
    ;[this.todos, this.children] = await Promise.all([side("todo"), side("children")])
    this.changed()
  }

  /** Loads what the session changed in files; `diffs` is undefined until then. */
  async loadDiffs(): Promise<void> {
    this.diffs = objects(await this.#api.json(`${this.#path}/diff`, this.#end.signal))
    this.changed()
  }

  /** Makes sure that a message is among the loaded ones. */
  async reach(message: string | undefined): Promise<void> {
    if (message === undefined ? !this.hasNewer : this.find(message)) return
    try {
      await this.#stretch(message)
      this.pageError = undefined
    } catch (error) {
      if (!this.#end.signal.aborted) this.pageError = error
    }
    this.#touch()
  }

  find(message: string): TranscriptMessage | undefined {
    return this.#messages.find(({ id }) => id === message)
  }

  async #stretch(message?: string): Promise<void> {
    const from = message === undefined ? "" : `&from=${segment(message)}`
    let page: Page
    try {
      page = await this.#api.page(`${this.#path}/message?limit=${PAGE}${from}`, this.#end.signal)
    } catch (error) {
      // A message that is gone should not hide its session.
      if (message === undefined || this.#end.signal.aborted) throw error
      return await this.#stretch()
    }
    this.#messages = read(page)
    this.#older = page.older
    this.#newer = page.newer
    this.stretch++
    this.#touch()
  }

  /** Puts older messages before those that are there. */
  async loadOlder(limit = OLDER_PAGE): Promise<void> {
    await this.#grow("older", this.#older && sized(this.#older, limit), (page) => {
      this.#older = page.older
      return [...read(page), ...this.#messages]
    })
  }

  /** Puts newer messages behind those that are there. */
  async loadNewer(): Promise<void> {
    await this.#grow("newer", this.#newer && sized(this.#newer, OLDER_PAGE), (page) => {
      this.#newer = page.newer
      return [...this.#messages, ...read(page)]
    })
  }

  /** Loads all that is older; the view goes to the first message. */
  async loadAll(): Promise<void> {
    while (this.#older !== undefined && !this.#end.signal.aborted && this.pageError === undefined)
      await this.loadOlder(LARGEST_PAGE)
  }

  /** Asks for more at one end; while that is on its way, it is what everyone waits for. */
  #grow(
    end: "older" | "newer",
    path: string | undefined,
    put: (page: Page) => TranscriptMessage[],
  ): Promise<void> {
    if (path === undefined) return Promise.resolve()
    const growing =
      this.#growing.get(end) ??
      this.#fetch(path, put).finally(() => {
        this.#growing.delete(end)
        this.#touch()
      })
    this.#growing.set(end, growing)
    return growing
  }

  async #fetch(path: string, put: (page: Page) => TranscriptMessage[]): Promise<void> {
    const { stretch } = this
    this.pageError = undefined
    this.changed()
    try {
      const page = await this.#api.page(path, this.#end.signal)
      if (stretch === this.stretch) this.#messages = unique(put(page))
    } catch (error) {
      if (!this.#end.signal.aborted) this.pageError = error
    }
  }

  /** Takes part in what changed in the store; several changes are looked at together. */
  apply({ kind, type, sessionID, messageID }: Change): void {
    const nameless = sessionID === "" && messageID === ""
    const mine = sessionID === this.id || this.find(messageID) !== undefined
    if (!mine && !nameless) {
      // A part's change may come while its message is only being asked for.
      if (this.#refreshing) this.#unclaimed.add(messageID)
      return
    }
    if (nameless || type === "unknown") this.#stale.add("everything")
    else this.#stale.add(messageID === "" ? (kind === "session" ? "session" : "sides") : messageID)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#refreshing || this.#end.signal.aborted) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#catchUp()
    }, 150)
  }

  async #catchUp(): Promise<void> {
    this.#refreshing = true
    const stale = new Set(this.#stale)
    this.#stale.clear()
    try {
      await this.#look(stale)
      this.pageError = undefined
    } catch (error) {
      if (!this.#end.signal.aborted) this.pageError = error
    }
    this.#refreshing = false
    for (const id of this.#unclaimed) if (this.find(id)) this.#stale.add(id)
    this.#unclaimed.clear()
    if (this.#stale.size > 0) this.#schedule()
    this.#touch()
  }

  /** Looks at everything again, as after a time without news. */
  refresh(): void {
    this.#stale.add("everything")
    this.#schedule()
  }

  async #look(stale: ReadonlySet<string>): Promise<void> {
    const { signal } = this.#end
    const everything = stale.has("everything")
    if (everything || stale.has("session")) {
      await this.#loadSession()
      this.state = this.session || this.#messages.length > 0 ? "ready" : "missing"
    }
    if (everything || stale.has("sides")) {
      await this.#sides()
      if (this.diffs) await this.loadDiffs()
    }
    const ids = [...stale].filter((id) => !["everything", "session", "sides"].includes(id))
    if (everything || ids.some((id) => !this.find(id))) await this.#lookAtEnd()
    for (const id of ids) {
      if (!this.find(id)) continue
      const body = await this.#api.object(`${this.#path}/message/${segment(id)}`, signal)
      const changed = body && readMessage(body)
      this.#messages = this.#messages.flatMap((message) => (message.id === id ? (changed ?? []) : message))
    }
  }

  /** The newest messages again, where they are what is shown. */
  async #lookAtEnd(): Promise<void> {
    if (this.#newer !== undefined) return
    const { stretch } = this
    const page = await this.#api.page(`${this.#path}/message?limit=${PAGE}`, this.#end.signal)
    if (stretch !== this.stretch) return
    const merged = mergeNewest(this.#messages, read(page))
    this.#messages = merged.messages
    if (!merged.disjoint) return
    this.#older = page.older
    this.stretch++
  }

  /** Whether a part is unfolded; `byDefault` where nobody said. */
  isOpen(key: string, byDefault = false): boolean {
    return this.#open.get(key) ?? byDefault
  }

  setOpen(key: string, open: boolean): void {
    this.#open.set(key, open)
    this.changed()
  }

  get rows(): readonly TranscriptRow[] {
    this.#rows ??= transcriptRows(this.#messages)
    return this.#rows
  }

  #touch(): void {
    this.#rows = undefined
    this.changed()
  }
}

function readMessage(body: JsonObject): TranscriptMessage | undefined {
  const info = fieldsOf(body.info)
  const id = textOf(info.id)
  return id === "" ? undefined : { id, info, parts: objects(body.parts) }
}

function read(page: Page): TranscriptMessage[] {
  return page.items.map(readMessage).filter((message) => message !== undefined)
}

/** Drops what a page that was moved by a change brought a second time. */
function unique(messages: readonly TranscriptMessage[]): TranscriptMessage[] {
  return [...new Map(messages.map((message) => [message.id, message])).values()]
}

/** Puts the newest page in the place of the messages that it covers. */
export function mergeNewest(
  loaded: readonly TranscriptMessage[],
  newest: readonly TranscriptMessage[],
): { messages: readonly TranscriptMessage[]; disjoint: boolean } {
  const ids = new Set(newest.map(({ id }) => id))
  const first = loaded.findIndex(({ id }) => ids.has(id))
  // Nothing in common: more came in between than one page holds, or everything went.
  if (first < 0) return { messages: newest, disjoint: loaded.length > 0 }
  return { messages: unique([...loaded.slice(0, first), ...newest]), disjoint: false }
}

/** Heads and parts of messages as rows; step marks, snapshots and blank texts have none. */
export function transcriptRows(messages: readonly TranscriptMessage[]): TranscriptRow[] {
  const rows: TranscriptRow[] = []
  let before: TranscriptMessage | undefined
  for (const message of messages) {
    rows.push({
      kind: "head",
      key: message.id,
      message,
      follows:
        before !== undefined && voice(before) === voice(message) && voice(message).startsWith("assistant"),
    })
    for (const [index, part] of message.parts.entries())
      if (speaks(part))
        rows.push({ kind: "part", key: `${message.id}/${textOf(part.id) || index}`, message, part })
    before = message
  }
  return rows
}

function voice({ info }: TranscriptMessage): string {
  return [info.role, info.agent ?? info.mode, info.modelID].map(textOf).join(" ")
}

function speaks(part: JsonObject): boolean {
  const type = textOf(part.type)
  if (type === "text" || type === "reasoning") return textOf(part.text).trim() !== ""
  return !SILENT.has(type)
}

/** Whether a message was answered to its end. */
export function isUnfinished({ info }: TranscriptMessage): boolean {
  return info.role === "assistant" && !isJsonObject(info.error) && fieldsOf(info.time).completed === undefined
}
