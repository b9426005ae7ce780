import { join } from "node:path"
import { StoreError } from "../../errors.ts"
import type { JsonObject } from "../../record/extract.ts"
import { checkKey, type Key } from "../../record/key.ts"
import { type CollectionKind, placeOfKey } from "../../record/kind.ts"
import { sortTexts } from "../../record/order.ts"
import { messageOfPartId, partIdOf } from "../part-id.ts"
import type { RecordSource, WholeMessage } from "../record-source.ts"
import { lookText } from "./look.ts"
import type { LocatedMessage, Lookup } from "./lookup.ts"
import { readMessages } from "./message-reader.ts"
import { RecentMessages } from "./recent-messages.ts"
import { projectOf } from "./record-bodies.ts"
import type { Transcripts } from "./transcripts.ts"

/** How often lines are read again that another program changes at the same time. */
const MAX_TRIES = 3
const PROJECT = "project"

/** A message as it was read, and where it lies. */
export interface LocatedRead {
  readonly located: LocatedMessage
  readonly read: WholeMessage
}

/** The bodies of records that are made of a transcript's lines. */
export class TranscriptRecords implements RecordSource {
  readonly #transcripts: Transcripts
  readonly #lookup: Lookup
  readonly #recent = new RecentMessages()

  constructor(transcripts: Transcripts, lookup: Lookup) {
    this.#transcripts = transcripts
    this.#lookup = lookup
  }

  async folders(kind: CollectionKind): Promise<readonly string[]> {
    if (kind !== "part") return this.#lookup.folders(kind)
    const messages = new Set<string>()
    for (const session of await this.#lookup.folders("message"))
      for (const id of await this.#lookup.ids("message", session)) messages.add(id)
    const all = sortTexts([...messages])
    const some: string[] = []
    for (const id of all) if ((await this.ids("part", id)).length > 0) some.push(id)
    return some
  }

  async ids(kind: CollectionKind, folder: string): Promise<readonly string[]> {
    if (kind !== "part") return this.#lookup.ids(kind, folder)
    const message = await this.#messageOf(folder)
    return (message?.parts ?? []).map((_, at) => partIdOf(folder, at))
  }

  names(kind: CollectionKind, folder: string): Promise<readonly string[]> {
    return this.ids(kind, folder)
  }

  async foldersOf(kind: CollectionKind, id: string): Promise<readonly string[]> {
    if (kind !== "part") return this.#lookup.foldersOf(kind, id)
    const message = messageOfPartId(id)
    return message !== undefined && (await this.holds("part", message, id)) ? [message] : []
  }

  async holds(kind: CollectionKind, folder: string, id: string): Promise<boolean> {
    if (kind === "part") return (await this.ids("part", folder)).includes(id)
    return (await this.#lookup.foldersOf(kind, id)).includes(folder)
  }

  async read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
  ): Promise<readonly (JsonObject | undefined)[]> {
    if (kind === "session") return this.#lookup.sessions(folder, ids)
    if (kind === "message") return (await this.#messages(folder, ids)).map((message) => message?.info)
    const parts = (await this.#messageOf(folder))?.parts ?? []
    const byId = new Map(parts.map((part) => [part.id, part]))
    return ids.map((id) => byId.get(id))
  }

  async get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined> {
    return (await this.read(kind, folder, [id]))[0]
  }

  /** The work trees that sessions ran in. */
  async plainIds(kind: string): Promise<readonly string[]> {
    return kind === PROJECT ? this.#lookup.folders("session") : []
  }

  async readPlain(kind: string, id: string): Promise<JsonObject | undefined> {
    if (kind !== PROJECT) return undefined
    const sessions = await this.#lookup.ids("session", id)
    const [first] = await this.#lookup.sessions(id, sessions.slice(0, 1))
    if (!first || projectOf(directoryOf(first)) !== id) return undefined
    return { id, worktree: directoryOf(first) ?? "/" }
  }

  async value(key: Key): Promise<unknown> {
    checkKey(key)
    const at = placeOfKey(key)
    const value = at
      ? await this.get(at.place.kind, at.place.folder, at.id)
      : key.length === 2
        ? await this.readPlain(key[0] ?? "", key[1] ?? "")
        : undefined
    if (value === undefined) {
      const path = this.locate(key)
      throw new StoreError("NOT_FOUND", `There is no such record: ${path}`, { path })
    }
    return value
  }

  async *text(key: Key, signal?: AbortSignal): AsyncGenerator<string> {
    signal?.throwIfAborted()
    yield JSON.stringify(await this.value(key))
  }

  /** What is read of a record may be of several files, and of what lies beside them. */
  async version(): Promise<undefined> {
    return undefined
  }

  locate(key: Key): string {
    return `${join(this.#transcripts.place)}#${key.join("/")}`
  }

  /** A message and its parts are of the same lines, read once. */
  async message(session: string, id: string): Promise<WholeMessage | undefined> {
    return (await this.#readMessages(session, [id]))[0]?.read
  }

  /**
   * The first of these and as many of the others as have no more than so many bytes of lines in all, with where they lie; `undefined`
   * for one that is gone.
   */
  located(
    session: string,
    ids: readonly string[],
    maxBytes = 0,
  ): Promise<readonly (LocatedRead | undefined)[]> {
    return this.#readMessages(session, ids, maxBytes)
  }

  async #messageOf(id: string): Promise<WholeMessage | undefined> {
    const recent = this.#recent.get(this.#transcripts.fs, id)
    if (recent) return recent
    const [session] = await this.#lookup.foldersOf("message", id)
    return session === undefined ? undefined : (await this.#messages(session, [id]))[0]
  }

  async #messages(session: string, ids: readonly string[]): Promise<readonly (WholeMessage | undefined)[]> {
    return (await this.#readMessages(session, ids)).map((one) => one?.read)
  }

  async #readMessages(
    session: string,
    ids: readonly string[],
    maxBytes?: number,
  ): Promise<readonly (LocatedRead | undefined)[]> {
    const { fs, agent } = this.#transcripts
    for (let tries = 1; ; tries++) {
      const all = await this.#lookup.messages(session, ids)
      const located = maxBytes === undefined ? all : all.slice(0, fitting(all, maxBytes))
      const there = located.filter((one) => one !== undefined)
      const looks = looksOf(fs, there)
      const read = await readMessages(fs, agent, session, there)
      const now = looksOf(fs, there)
      const isSame = [...looks].every(([path, look]) => now.get(path) === look)
      // Lines that were only added to are where they were; anything else is found out by looking again.
      if (!isSame && tries < MAX_TRIES) continue
      const messages = read.values()
      return located.map((one) => {
        const message = one && messages.next().value
        if (!one || !message) return undefined
        if (isSame && maxBytes === undefined) this.#recent.put(one, message, now)
        return { located: one, read: message }
      })
    }
  }
}

/** How many of these, and one at least, have lines of no more than so many bytes in all. */
function fitting(messages: readonly (LocatedMessage | undefined)[], maxBytes: number): number {
  let bytes = 0
  const beyond = messages.findIndex((one, at) => {
    for (const [, , length] of one?.message.outlined.spans ?? []) bytes += length
    return bytes > maxBytes && at > 0
  })
  return beyond < 0 ? messages.length : beyond
}

function looksOf(fs: Transcripts["fs"], messages: readonly LocatedMessage[]): Map<string, string> {
  const looks = new Map<string, string>()
  for (const { files } of messages)
    for (const { path } of files) if (!looks.has(path)) looks.set(path, lookText(fs.lstat(path)))
  return looks
}

function directoryOf(body: JsonObject): string | undefined {
  return typeof body.directory === "string" ? body.directory : undefined
}
