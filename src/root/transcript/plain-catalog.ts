import { sessionFields } from "../../record/extract.ts"
import type { Position } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import { listedMessages, listedSessions } from "../scanned/scanned-catalog.ts"
import type { PlainLookup, PlainSession } from "./plain-lookup.ts"

/** Lists what is in transcripts from the files themselves, for when no index can be used. */
export class PlainCatalog implements Catalog {
  readonly #lookup: PlainLookup

  constructor(lookup: PlainLookup) {
    this.#lookup = lookup
  }

  async sessions(query: SessionQuery, range: Range): Promise<readonly SessionEntry[]> {
    const { projectID } = query
    const sessions = [...(await this.#all(range.signal)).values()]
      .filter(({ project }) => projectID === undefined || project === projectID)
      .map(({ id, project, body }) => ({ id, project, fields: sessionFields(body) }))
    return listedSessions(sessions, query, range)
  }

  async countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    return (await this.sessions(query, { signal })).length
  }

  async copies(
    ids: readonly string[],
    projectID: string | undefined,
    { signal }: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    const sessions = await this.#all(signal)
    const copies = new Map<string, SessionCopy>()
    for (const id of ids) {
      const session = sessions.get(id)
      if (!session || (projectID !== undefined && session.project !== projectID)) continue
      copies.set(id, { project: session.project, updated: session.updated })
    }
    return copies
  }

  async *messages(
    sessionID: string,
    direction: "asc" | "desc",
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    range.signal?.throwIfAborted()
    const session = await this.#lookup.session(sessionID)
    const positions = session?.messages.map(({ id, created }) => ({ id, time: created })) ?? []
    yield* listedMessages(positions, direction, range)
  }

  async countMessages(sessionID: string): Promise<number> {
    return (await this.#lookup.session(sessionID))?.messages.length ?? 0
  }

  /** Transcripts do not tell the steps within a message. */
  async withSeveralSteps(): Promise<ReadonlySet<string>> {
    return new Set()
  }

  async guessFolder(): Promise<undefined> {
    return undefined
  }

  async #all(signal: AbortSignal | undefined): Promise<ReadonlyMap<string, PlainSession>> {
    signal?.throwIfAborted()
    return await this.#lookup.all()
  }
}
