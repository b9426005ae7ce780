import { loadedOnce, untilAdmitted } from "../../exhaustion.ts"
import type { Reconciler } from "../../migrator/reconcile.ts"
import type { Catalog } from "../catalog.ts"
import type { MessageDocument, TextLook, TextSource } from "../text-source.ts"
import { folderNames, type RecordFiles } from "./file-catalog.ts"
import type { JsonIndexing } from "./json-indexing.ts"
import { searchable } from "./searchable.ts"

const messageTexts = loadedOnce(() => import("./message-texts.ts"))
const candidateTexts = loadedOnce(() => import("./candidates.ts"))

/** Finds texts with the full-text index, or from the files alone while the index is not complete. */
export class JsonTexts implements TextSource {
  readonly mode: TextSource["mode"]
  readonly #files: RecordFiles
  readonly #within: Reconciler
  readonly #scan: Catalog
  readonly #indexing: JsonIndexing

  /** @param scan lists messages without the index */
  constructor(
    mode: TextSource["mode"],
    files: RecordFiles,
    within: Reconciler,
    scan: Catalog,
    indexing: JsonIndexing,
  ) {
    this.mode = mode
    this.#files = searchable(files)
    this.#within = within
    this.#scan = scan
    this.#indexing = indexing
  }

  async look(mayLack: boolean): Promise<TextLook> {
    if (await this.#indexing.isWhole())
      return this.#look(!this.#indexing.filesOnly, this.#indexing.walked, true)
    if (mayLack && !this.#indexing.isFailing) return this.#look(true, undefined, false)
    return this.#look(false, undefined, true)
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.#indexing.refresh(signal)
  }

  makeWhole(signal: AbortSignal): Promise<void> {
    return this.#indexing.makeWhole(signal)
  }

  makeWholeLater(): Promise<void> {
    return this.#indexing.makeWholeLater()
  }

  async document(sessionID: string, messageID: string): Promise<MessageDocument | undefined> {
    const { readMessageDocument } = await messageTexts()
    return readMessageDocument(this.#files, sessionID, messageID)
  }

  #look(indexed: boolean, database: string | undefined, whole: boolean): TextLook {
    const owners = async (): Promise<readonly string[]> =>
      untilAdmitted(() => folderNames(this.#files, "message"))
    const sources = { within: this.#within, all: { owners, scan: this.#scan }, indexed, database }
    return {
      whole,
      async *candidates(query, filter) {
        const { candidates } = await candidateTexts()
        yield* candidates(sources, query, filter)
      },
    }
  }
}
