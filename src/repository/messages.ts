import { StoreError } from "../errors.ts"
import type { MessageWithParts } from "../record/export.ts"
import { fieldsOf, type JsonObject, messageFields } from "../record/extract.ts"
import { checkKey, type Key } from "../record/key.ts"
import type { Position } from "../record/order.ts"
import type { Range } from "../root/catalog.ts"
import { checkChoice, checkLimit, checkPageSize, type IdOrKey } from "../root/check.ts"
import type { WholeMessage } from "../root/record-source.ts"
import type { Root } from "../root/root.ts"
import type { Removal, Update, Writer } from "../root/writer.ts"
import type { Fetch, ReadEntry } from "./cursor.ts"
import { cutPage, fetchReadable, type Page } from "./cursor.ts"
import { notFound, type PartRepository } from "./parts.ts"
import type { Roots } from "./roots.ts"

/** Which messages of a session to list, and in which order. */
export interface MessageListOptions {
  /** `"desc"` (newest first, the default) or `"asc"`. */
  direction?: "asc" | "desc" | undefined
  /** How many at most. */
  limit?: number | undefined
  signal?: AbortSignal | undefined
}

type NamedMessage = ReadEntry<Position, JsonObject>

/** Which page of a session's messages. */
export interface MessagePageOptions {
  /** The `older` or `newer` of another page of the same session. */
  cursor?: string | undefined
  /** How many messages the page has at most; by default 50. */
  limit?: number | undefined
  /** Instead of a cursor: the id of the message that is the oldest of the page. */
  from?: string | undefined
  signal?: AbortSignal | undefined
}

/** The messages of sessions, ordered by `time.created`, then id. */
export class MessageRepository<M, P> {
  readonly #roots: Roots
  readonly #writer: Writer
  readonly #parts: PartRepository<P>

  constructor(roots: Roots, writer: Writer, parts: PartRepository<P>) {
    this.#roots = roots
    this.#writer = writer
    this.#parts = parts
  }

  /**
   * One message by its id or its key, `undefined` if there is none. If several sessions have a message with that id, it is not defined
   * which of them the id alone finds.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`, `EXHAUSTED`
   */
  async get(idOrKey: IdOrKey): Promise<M | undefined> {
    const found = await this.#roots.findMessage(idOrKey)
    // Whether bodies have the app's type is up to the app and its schemas.
    return found && ((await found.root.records.get("message", found.place.folder, found.id)) as M | undefined)
  }

  /**
   * Writes a message to the place that its `sessionID` and `id` name. Resolves when it is on the disk.
   * @throws StoreError `INVALID_RECORD`, `INVALID_KEY`, `READ_ONLY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`
   */
  async write(message: M): Promise<void> {
    const { id, sessionID } = fieldsOf(message)
    if (typeof id !== "string" || typeof sessionID !== "string")
      throw new StoreError("INVALID_RECORD", "A message needs its `id` and `sessionID` to be written")
    const check = this.#roots.checkWritable(sessionID)
    if (check) await check
    await this.#writer.write(["message", sessionID, id], message)
  }

  /** Changes a message atomically and returns its new body. @throws as `store.update` */
  async update(idOrKey: IdOrKey, change: Update<M>): Promise<M> {
    const found = await this.#roots.findMessage(idOrKey, true)
    if (!found) throw notFound("message", idOrKey)
    this.#roots.checkMain(found)
    return this.#writer.update<M>(["message", found.place.folder, found.id], change)
  }

  /**
   * Removes a message and its parts, the message last. Files that cannot be read are kept and returned in `left`.
   * @throws StoreError `READ_ONLY`, `INVALID_KEY`, `WRITE_FAILED`, `NOT_DURABLE`, `LOCKED`
   */
  async remove(idOrKey: IdOrKey, options: { signal?: AbortSignal | undefined } = {}): Promise<Removal> {
    this.#writer.mustBeWritable()
    const find = async (): Promise<{ sessionID: string; id: string } | undefined> => {
      const found = await this.#roots.findMessage(idOrKey, true)
      if (!found) return undefined
      this.#roots.checkMain(found)
      return { sessionID: found.place.folder, id: found.id }
    }
    return this.#writer.removeMessage(find, options)
  }

  /** Yields message ids, newest first unless `direction` says otherwise. */
  async *ids(sessionID: string, options: MessageListOptions = {}): AsyncGenerator<string> {
    const root = await this.#root(sessionID)
    const { direction, limit, signal } = options
    const range = { limit: checkLimit(limit), signal }
    for await (const run of this.#runs(root, sessionID, direction, range))
      for (const { id } of run) {
        signal?.throwIfAborted()
        yield id
      }
  }

  /** Yields message bodies, newest first unless `direction` says otherwise. What cannot be read is skipped and reported. */
  async *list(sessionID: string, options: MessageListOptions = {}): AsyncGenerator<M> {
    for await (const { info } of this.#whole(sessionID, options, false)) yield info as M
  }

  /** Yields messages with their parts, newest first unless `direction` says otherwise; the parts are in the order of `parts.ids`. */
  async *stream(sessionID: string, options: MessageListOptions = {}): AsyncGenerator<MessageWithParts<M, P>> {
    for await (const { info, parts } of this.#whole(sessionID, options, true))
      yield { info: info as M, parts: parts as P[] }
  }

  /**
   * A page of messages, newest first. With `from` that message is its oldest.
   * @throws StoreError `INVALID_CURSOR`, `INVALID_KEY`, `NOT_FOUND` for `from`; TypeError
   */
  async page(sessionID: string, options: MessagePageOptions = {}): Promise<Page<M>> {
    const question = {}
    const { items, older, newer } = await this.#page(sessionID, options, question, (fetch, root) =>
      fetchReadable(fetch, async ({ id }) => (await this.#read(root, sessionID, id, false, question))?.info),
    )
    return { items: items.map(({ read }) => read as M), older, newer }
  }

  /** As `page`, with the messages' keys, for a caller that reads bodies one by one. */
  async pageKeys(sessionID: string, options: MessagePageOptions = {}): Promise<Page<Key>> {
    const { items, older, newer } = await this.#page(
      sessionID,
      options,
      {},
      (fetch): Fetch<Position> => fetch,
    )
    return { items: items.map(({ id }) => ["message", sessionID, id]), older, newer }
  }

  /**
   * Yields messages of one session with their parts, by their ids, in the given order. The session is looked for only once. What cannot be
   * read is skipped and reported.
   * @throws StoreError `INVALID_KEY`, `EXHAUSTED`; the signal's reason
   */
  async *several(
    sessionID: string,
    ids: readonly string[],
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<MessageWithParts<M, P>> {
    for (const id of ids) checkKey([id])
    const question = {}
    const root = await this.#root(sessionID, question)
    for (const id of ids) {
      options.signal?.throwIfAborted()
      const message = await this.#read(root, sessionID, id, true, question)
      if (message) yield { info: message.info as M, parts: message.parts as P[] }
    }
  }

  /** How many message files a session has, by their names. */
  async count(sessionID: string): Promise<number> {
    return (await this.#root(sessionID)).catalog.countMessages(sessionID)
  }

  async #root(sessionID: string, question?: object): Promise<Root> {
    checkKey([sessionID])
    return this.#roots.ofSession(sessionID, question)
  }

  /** @param fetching turns a fetch of positions into the fetch that the page is cut from */
  async #page<Entry extends Position>(
    sessionID: string,
    options: MessagePageOptions,
    question: object,
    fetching: (fetch: Fetch<Position>, root: Root) => Fetch<Entry | NamedMessage>,
  ): Promise<Page<Entry | NamedMessage>> {
    const limit = checkPageSize(options.limit)
    const root = await this.#root(sessionID, question)
    return cutPage(
      `message/${sessionID}`,
      options.cursor,
      limit,
      fetching(
        (direction, range) =>
          this.#take(root, sessionID, direction, { ...range, question, signal: options.signal }),
        root,
      ),
      options.from === undefined ? undefined : await this.#named(root, sessionID, options.from),
    )
  }

  async *#whole(
    sessionID: string,
    options: MessageListOptions,
    withParts: boolean,
  ): AsyncGenerator<WholeMessage> {
    const question = {}
    const root = await this.#root(sessionID, question)
    let missing = checkLimit(options.limit)
    // Messages that cannot be read are made up for by others, up to the limit.
    for (let after: Position | undefined; missing !== 0; ) {
      let asked = missing
      const range = { after, limit: missing, question, signal: options.signal }
      for await (const run of this.#runs(root, sessionID, options.direction, range))
        for (const entry of run) {
          options.signal?.throwIfAborted()
          after = entry
          if (asked !== undefined) asked--
          const message = await this.#read(root, sessionID, entry.id, withParts, question)
          if (!message) continue
          if (missing !== undefined) missing--
          yield message
        }
      if (asked !== 0) return
    }
  }

  async #read(
    root: Root,
    sessionID: string,
    id: string,
    withParts: boolean,
    question: object,
  ): Promise<WholeMessage | undefined> {
    if (root.records.message) return root.records.message(sessionID, id, withParts, question)
    const [info] = await root.records.read("message", sessionID, [id])
    return info && { info, parts: withParts ? await this.#parts.allOf(root, id) : [] }
  }

  #runs(
    root: Root,
    sessionID: string,
    direction: MessageListOptions["direction"],
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    const chosen = checkChoice("direction", direction, ["asc", "desc"], "desc")
    range.signal?.throwIfAborted()
    return root.catalog.messages(sessionID, chosen, range)
  }

  /** A message with its position in its session. @throws as `get`; StoreError `NOT_FOUND` */
  async #named({ records }: Root, sessionID: string, id: string): Promise<NamedMessage> {
    const key = ["message", sessionID, id]
    checkKey(key)
    const body = await records.get("message", sessionID, id)
    if (!body) throw notFound("message", key)
    return { id, time: messageFields(body).created, read: body }
  }

  async #take(root: Root, sessionID: string, direction: "asc" | "desc", range: Range): Promise<Position[]> {
    return (await Array.fromAsync(root.catalog.messages(sessionID, direction, range))).flat()
  }
}
