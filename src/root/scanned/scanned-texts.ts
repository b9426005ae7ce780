import { comparePosition, compareText } from "../../record/order.ts"
import type { Catalog } from "../catalog.ts"
import { readDocument } from "../document.ts"
import type { RecordSource } from "../record-source.ts"
import type { Candidate, CandidateFilter, MessageDocument, TextLook, TextSource } from "../text-source.ts"

/** Texts without an index: every message is a candidate of every search. */
export class ScannedTexts implements TextSource {
  readonly mode: TextSource["mode"]
  readonly #records: RecordSource
  readonly #catalog: Catalog

  constructor(records: RecordSource, catalog: Catalog, mode: TextSource["mode"]) {
    this.#records = records
    this.#catalog = catalog
    this.mode = mode
  }

  async look(): Promise<TextLook> {
    const candidates: TextLook["candidates"] = (_, filter, signal) =>
      scanCandidates(this.#records, this.#catalog, filter, signal)
    return { whole: true, candidates }
  }

  async refresh(): Promise<void> {}

  async makeWhole(): Promise<void> {}

  async makeWholeLater(): Promise<void> {}

  document(sessionID: string, messageID: string): Promise<MessageDocument | undefined> {
    return readDocument(this.#records, sessionID, messageID)
  }
}

/** Yields all messages in a span of time, newest first, by listing every session's messages. Slow; needs no index. */
export async function* scanCandidates(
  records: RecordSource,
  catalog: Catalog,
  filter: CandidateFilter & { readonly before?: number | undefined },
  signal?: AbortSignal,
): AsyncGenerator<Candidate> {
  const { session, since, until, before } = filter
  const all: Candidate[] = []
  for (const folder of session === undefined ? await records.folders("message") : [session])
    for await (const run of catalog.messages(folder, "desc", { signal }))
      for (const { id, time } of run)
        if (
          (before === undefined || time < before) &&
          (since === undefined || time >= since) &&
          (until === undefined || time <= until)
        )
          all.push({ id, time, session: folder })
  yield* all.sort((a, b) => comparePosition(b, a) || compareText(b.session, a.session))
}
