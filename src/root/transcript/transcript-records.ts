import { isStoreError, StoreError } from "../../errors.ts"
import type { JsonObject } from "../../record/extract.ts"
import { jsonLine } from "../../record/json-text.ts"
import { checkKey, type Key } from "../../record/key.ts"
import { type CollectionKind, placeOfKey } from "../../record/kind.ts"
import { sortTexts } from "../../record/order.ts"
import { wholeDocument } from "../document.ts"
import { messageOfPartId, partIdOf } from "../part-id.ts"
import type { RecordSource, Tell, Unseen, WholeMessage } from "../record-source.ts"
import type { MessageDocument } from "../text-source.ts"
import type { LocatedMessage, Lookup } from "./lookup.ts"
import { readMessages } from "./message-reader.ts"
import { RecentMessages } from "./recent-messages.ts"
import { projectOf } from "./record-bodies.ts"
import type { Transcripts } from "./transcripts.ts"

/** How often lines are read again while another program changes them. */
const MAX_TRIES = 3
const PROJECT = "project"

/** A message as it was read, and where it is. */
export interface LocatedRead {
  readonly located: LocatedMessage
  readonly read: WholeMessage
}

/** Gives records, made from the lines of transcripts. */
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

  async ids(kind: CollectionKind, folder: string, tell?: Tell): Promise<readonly string[]> {
    if (kind !== "part") return this.#lookup.ids(kind, folder)
    const message = await this.#quietly(() => this.#messageOf(folder), undefined, tell)
    return (message?.parts ?? []).map((_, at) => partIdOf(folder, at))
  }

  names(kind: CollectionKind, folder: string): Promise<readonly string[]> {
    return this.ids(kind, folder)
  }

  async foldersOf(
    kind: CollectionKind,
    id: string,
    tell?: (unseen: Unseen) => void,
    question?: object,
  ): Promise<readonly string[]> {
    const folders = await this.#foldersOf(kind, id, question)
    if (folders.length === 0)
      for (const problem of this.#lookup.refused())
        tell?.({ ...problem, closed: problem.code === "UNREADABLE" })
    return folders
  }

  async #foldersOf(
    kind: CollectionKind,
    id: string,
    question: object | undefined,
  ): Promise<readonly string[]> {
    if (kind !== "part") return this.#lookup.foldersOf(kind, id, question)
    const message = messageOfPartId(id)
    return message !== undefined && (await this.holds("part", message, id)) ? [message] : []
  }

  async holds(kind: CollectionKind, folder: string, id: string, question?: object): Promise<boolean> {
    if (kind === "part") return (await this.ids("part", folder)).includes(id)
    return (await this.#lookup.foldersOf(kind, id, question)).includes(folder)
  }

  async read(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    tell?: Tell,
    question?: object,
  ): Promise<readonly (JsonObject | undefined)[]> {
    const none = ids.map(() => undefined)
    return this.#quietly(() => this.#bodies(kind, folder, ids, question), none, tell)
  }

  async #bodies(
    kind: CollectionKind,
    folder: string,
    ids: readonly string[],
    question?: object,
  ): Promise<readonly (JsonObject | undefined)[]> {
    if (kind === "session") return this.#lookup.sessions(folder, ids, question)
    if (kind === "message")
      return (await this.#readMessages(folder, ids, undefined, question)).map((one) => one?.read.info)
    const parts = (await this.#messageOf(folder))?.parts ?? []
    const byId = new Map(parts.map((part) => [part.id, part]))
    return ids.map((id) => byId.get(id))
  }

  async get(kind: CollectionKind, folder: string, id: string): Promise<JsonObject | undefined> {
    return (await this.#bodies(kind, folder, [id]))[0]
  }

  /** The work trees of sessions. */
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
    yield jsonLine(await this.value(key))
  }

  /** A record may come from several files and what is beside them. */
  async version(): Promise<undefined> {
    return undefined
  }

  locate(key: Key): string {
    return `${this.#transcripts.place}#${key.join("/")}`
  }

  /** A message and its parts come from the same lines, which are read once. */
  async message(
    session: string,
    id: string,
    _: boolean,
    question?: object,
  ): Promise<WholeMessage | undefined> {
    return (await this.#readMessages(session, [id], undefined, question))[0]?.read
  }

  /** What a search looks at in a message; `undefined` if it is gone or cannot be read, which is reported. */
  async document(session: string, id: string): Promise<MessageDocument | undefined> {
    const message = await this.#quietly(() => this.message(session, id, true), undefined, undefined)
    return message && wholeDocument(message.info, message.parts)
  }

  /**
   * The first of these and as many of the others as have no more than so many bytes of lines in all, with where they lie; `undefined`
   * for one that is gone. Nothing, which is reported, where they cannot be read.
   */
  locatedQuietly(
    session: string,
    ids: readonly string[],
    maxBytes = 0,
  ): Promise<readonly (LocatedRead | undefined)[] | undefined> {
    return this.#quietly(() => this.#readMessages(session, ids, maxBytes), undefined, undefined)
  }

  async #messageOf(id: string): Promise<WholeMessage | undefined> {
    const [session] = await this.#lookup.foldersOf("message", id)
    if (session === undefined) return undefined
    const [located] = await this.#lookup.messages(session, [id])
    const recent = located && this.#recent.get(located)
    return recent ?? (await this.#messages(session, [id]))[0]
  }

  /** What `ask` gives, or `otherwise` if a file cannot be read, which is reported. @throws StoreError `EXHAUSTED`, `CLOSED` */
  async #quietly<T>(ask: () => Promise<T>, otherwise: T, tell: Tell | undefined): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (!isStoreError(error) || error.code === "EXHAUSTED" || error.code === "CLOSED") throw error
      const { path = this.#transcripts.place, code, message } = error
      this.#transcripts.report({ path, code, message })
      tell?.({ path, code, message })
      return otherwise
    }
  }

  async #messages(session: string, ids: readonly string[]): Promise<readonly (WholeMessage | undefined)[]> {
    return (await this.#readMessages(session, ids)).map((one) => one?.read)
  }

  /** @throws StoreError `UNREADABLE`, `NOT_FOUND`, `EXHAUSTED` */
  async #readMessages(
    session: string,
    ids: readonly string[],
    maxBytes?: number,
    question?: object,
  ): Promise<readonly (LocatedRead | undefined)[]> {
    const { fs, agent } = this.#transcripts
    for (let tries = 1; ; tries++) {
      const all = await this.#lookup.messages(session, ids, question)
      const located = maxBytes === undefined ? all : all.slice(0, fitting(all, maxBytes))
      const there = located.filter((one) => one !== undefined)
      const files = [...new Set(there.flatMap((one) => one.files))]
      let read: readonly WholeMessage[]
      try {
        read = await readMessages(fs, agent, session, there)
      } catch (error) {
        // A file that was moved meanwhile is elsewhere now.
        if (!isStoreError(error, "NOT_FOUND") || tries === MAX_TRIES) throw error
        continue
      }
      const states = files.map((file) => this.#transcripts.stateOf(file))
      if (!states.every((state) => state === "same") && tries < MAX_TRIES) continue
      // In a file that is only appended to, lines keep their places.
      if (states.includes("other"))
        throw new StoreError("UNREADABLE", "The transcript was changed each time it was read", {
          path: files.at(-1)?.path,
        })
      const messages = read.values()
      return located.map((one) => {
        const message = one && messages.next().value
        if (!one || !message) return undefined
        if (maxBytes === undefined) this.#recent.put(one, message)
        return { located: one, read: message }
      })
    }
  }
}

/** How many of these, but at least one, have no more than this many bytes of lines in all. */
function fitting(messages: readonly (LocatedMessage | undefined)[], maxBytes: number): number {
  let bytes = 0
  const beyond = messages.findIndex((one, at) => {
    for (const [, , length] of one?.message.outlined.spans ?? []) bytes += length
    return bytes > maxBytes && at > 0
  })
  return beyond < 0 ? messages.length : beyond
}

function directoryOf(body: JsonObject): string | undefined {
  return typeof body.directory === "string" ? body.directory : undefined
}
