import { loaded, untilAdmitted } from "../../exhaustion.ts"
import type { Key } from "../../record/key.ts"
import type { Place } from "../../record/kind.ts"
import type { Removal, Sought, Update, WriteOptions, Writer } from "../writer.ts"
import { holds, placesOf } from "./bodies.ts"
import type { JsonRoot } from "./json-root.ts"
import type { RecordWriter } from "./record-writer.ts"

/** Changes the files of the store's own folder, through the write queue. */
export class JsonWriter implements Writer {
  readonly #root: JsonRoot
  readonly #records: () => RecordWriter

  /** @param records returns the writer of records, which is loaded with the first change */
  constructor(root: JsonRoot, records: () => RecordWriter) {
    this.#root = root
    this.#records = records
  }

  /** The writer of records, for code that works on files itself, such as an import. @throws StoreError `EXHAUSTED` */
  get records(): RecordWriter {
    return this.#records()
  }

  mustBeWritable(): void {
    this.records.mustBeWritable()
  }

  write(at: Key | Sought, value: unknown, options?: WriteOptions): Promise<void> {
    return this.#do((records) => records.write(at, value, options))
  }

  update<T>(at: Key | Sought, change: Update<T>): Promise<T> {
    return this.#do((records) => records.update(at, change))
  }

  remove(key: Key): Promise<boolean> {
    return this.#do((records) => records.remove(key))
  }

  async writeLost(
    sessionID: string,
    projectID: string,
    body: unknown,
  ): Promise<{ path: string; present: string | undefined }> {
    const key = ["session", projectID, sessionID]
    const path = this.#root.records.locate(key)
    let present: string | undefined
    // Decided under the lock, so that what another program put there meanwhile stays.
    const written = await this.records.writeIf(key, body, (current) => {
      present = this.#root.sessionFile(sessionID)
      return present === undefined && "fault" in current && current.fault.code === "NOT_FOUND"
    })
    return { path, present: written ? undefined : (present ?? path) }
  }

  async removeSession(
    sessionID: string,
    childrenOf: (id: string) => Promise<readonly string[]>,
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<Removal> {
    const { removeSession } = await loaded(() => import("./session-removal.ts"))
    const { files, within, indexing } = this.#root
    return removeSession(
      files,
      indexing.filesOnly ? undefined : within,
      this.records,
      sessionID,
      childrenOf,
      signal,
    )
  }

  async removeMessage(
    find: () => Promise<{ readonly sessionID: string; readonly id: string } | undefined>,
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<Removal> {
    const { removeMessage } = await loaded(() => import("./session-removal.ts"))
    return removeMessage(this.#root.files, this.records, find, signal)
  }

  async moveSession(
    sessionID: string,
    projectID: string,
    newest: () => Promise<string | undefined>,
  ): Promise<boolean> {
    const { files } = this.#root
    const { relocate } = await loaded(() => import("./relocation.ts"))
    return this.records.exclusively(async (held) => {
      const first = await newest()
      const others = placesOf(files, "session", sessionID).filter(({ folder }) => folder !== projectID)
      const rank = ({ folder }: Place): number => Number(folder === first)
      others.sort((a, b) => rank(b) - rank(a))
      let moved = false
      for (const place of others) {
        // Two names of one folder hold one file, which may have been moved under the first name.
        if (!holds(files, place, sessionID)) continue
        if (await relocate(files, held, sessionID, place, projectID)) moved = true
      }
      return moved
    })
  }

  /** Runs work without an await before it, if the module could be loaded: the caller may change its value after the call. */
  async #do<T>(work: (records: RecordWriter) => Promise<T>): Promise<T> {
    const records = untilAdmitted(this.#records)
    return work(records instanceof Promise ? await records : records)
  }
}
