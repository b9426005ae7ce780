import type { Reconciler } from "../../migrator/reconcile.ts"
import type { ParsedQuery } from "../../record/search-query.ts"
import type { Catalog } from "../catalog.ts"
import { ProblemLog } from "../problem-log.ts"
import type { Candidate, CandidateFilter, MessageDocument, TextSource } from "../text-source.ts"
import type { RecordFiles } from "./file-catalog.ts"
import type { WholeIndex } from "./whole-index.ts"

/** The texts of larger records are not searched, in bytes. */
const MAX_SEARCHED_BYTES = 16 * 1024 * 1024

/** What is read to be searched. Larger records are too much to be folded and shown; they are reported by whoever reads them. */
export function searchable(files: RecordFiles): RecordFiles {
  const maxRecordBytes = Math.min(files.maxRecordBytes, MAX_SEARCHED_BYTES)
  return { ...files, maxRecordBytes, problems: new ProblemLog(() => {}) }
}

/** Texts found by the full-text index, or by the files alone while that may lack what is to be found. */
export class JsonTexts implements TextSource {
  readonly mode: TextSource["mode"]
  readonly #files: RecordFiles
  readonly #within: Reconciler
  readonly #scan: Catalog
  readonly #whole: WholeIndex | undefined

  /** @param whole of the index; `undefined` to go by the files alone */
  constructor(
    mode: TextSource["mode"],
    files: RecordFiles,
    within: Reconciler,
    scan: Catalog,
    whole: WholeIndex | undefined,
  ) {
    this.mode = mode
    this.#files = searchable(files)
    this.#within = within
    this.#scan = scan
    this.#whole = whole
  }

  async *candidates(query: ParsedQuery, filter: CandidateFilter): AsyncGenerator<Candidate> {
    const { candidates } = await import("./candidates.ts")
    const sources = {
      within: this.#within,
      files: this.#files,
      scan: this.#scan,
      indexed: this.#whole !== undefined && !this.#whole.mustSweep,
      database: this.#whole?.database,
    }
    yield* candidates(sources, query, filter)
  }

  async document(sessionID: string, messageID: string): Promise<MessageDocument | undefined> {
    const { readMessageDocument } = await import("./message-texts.ts")
    return readMessageDocument(this.#files, sessionID, messageID)
  }
}
