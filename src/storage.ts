import type { StoreOptions } from "./options.ts"
import type { Key } from "./record/key.ts"
import type { Message } from "./record/message.ts"
import type { Part } from "./record/part.ts"
import type { Session } from "./record/session.ts"
import type { Update } from "./root/writer.ts"
import { openStore, type Store } from "./store.ts"

/** The drop-in names over a store: what code written against a key-value storage module calls. */
export interface Storage<S = Session, M = Message, P = Part> extends AsyncDisposable {
  /** The store below, for everything these names do not cover. */
  readonly store: Store<S, M, P>
  /** The body under a key. @throws StoreError `NOT_FOUND`, `CORRUPT`, … */
  read<T = unknown>(key: Key): Promise<T>
  write(key: Key, value: unknown): Promise<void>
  /** Changes a record atomically, also across processes, and gives its new body. @throws StoreError `NOT_FOUND`, … */
  update<T = unknown>(key: Key, change: Update<T>): Promise<T>
  /** Removes one record; a missing one is none of its business. */
  remove(key: Key): Promise<void>
  /** All keys below a prefix, in the order of their segments. */
  list(prefix: Key): Promise<string[][]>
  /** As `list`, one at a time. */
  listStream(prefix: Key): AsyncGenerator<string[]>
  /** How many records lie below a prefix. */
  count(prefix: Key): Promise<number>
  writeSession(session: S): Promise<void>
  writeMessage(message: M): Promise<void>
  writePart(part: P): Promise<void>
  /** Removes a session with everything that belongs to it. */
  removeSession(sessionID: string): Promise<void>
  /** Removes a message with its parts. */
  removeMessage(sessionID: string, messageID: string): Promise<void>
  removePart(messageID: string, partID: string): Promise<void>
  /** Session ids, newest `time.updated` first; of one project or all. */
  listSessionIds(projectID?: string): AsyncGenerator<string>
  /** A session's message ids, newest first. */
  listMessageIds(sessionID: string): AsyncGenerator<string>
  /** A message's part ids in the order of their making. */
  listPartIds(messageID: string): AsyncGenerator<string>
  close(): Promise<void>
}

/** Opens a store and gives it the drop-in names. @throws TypeError for options that make no sense */
export async function createStorage<S = Session, M = Message, P = Part>(
  options: StoreOptions,
): Promise<Storage<S, M, P>> {
  const store = await openStore<S, M, P>(options)
  return {
    store,
    read: (key) => store.read(key),
    write: (key, value) => store.write(key, value),
    update: (key, change) => store.update(key, change),
    remove: async (key) => {
      await store.remove(key)
    },
    list: (prefix) => Array.fromAsync(store.keys(prefix)),
    listStream: (prefix) => store.keys(prefix),
    count: (prefix) => store.count(prefix),
    writeSession: (session) => store.sessions.write(session),
    writeMessage: (message) => store.messages.write(message),
    writePart: (part) => store.parts.write(part),
    removeSession: async (sessionID) => {
      await store.sessions.remove(sessionID)
    },
    removeMessage: async (sessionID, messageID) => {
      await store.messages.remove(["message", sessionID, messageID])
    },
    removePart: async (messageID, partID) => {
      await store.parts.remove(["part", messageID, partID])
    },
    listSessionIds: (projectID) => store.sessions.ids({ projectID }),
    listMessageIds: (sessionID) => store.messages.ids(sessionID),
    listPartIds: (messageID) => store.parts.ids(messageID),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  }
}
