import { fieldsOf } from "../record/extract.ts"
import { fieldValue, MISSING, positionOf } from "../record/fields.ts"
import { comparePosition } from "../record/order.ts"
import { fieldsAsked, matchesFields, type SessionQuery } from "../record/query.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "./catalog.ts"
import type { RecordSource } from "./record-source.ts"
import type { Root } from "./root.ts"

/** How many bodies are read at a time. */
const BODIES_AT_ONCE = 32

/** Gives a root that does not index declared fields listings by them, made from the bodies. */
export function fieldsByReading(root: Root): Root {
  const { source, place, catalog, records, texts, upkeep } = root
  return {
    source,
    place,
    catalog: new CatalogByReading(catalog, records),
    records,
    texts,
    upkeep,
    ...(root.versions && { versions: root.versions }),
    ...(root.origins && { origins: root.origins.bind(root) }),
    ...(root.watch && { watch: root.watch.bind(root) }),
  }
}

/**
 * A catalog that reads every session that may be in a listing by declared fields, and leaves all else to the catalog below. Slow; each
 * session is right as of when it was read.
 */
class CatalogByReading implements Catalog {
  readonly #catalog: Catalog
  readonly #records: RecordSource

  constructor(catalog: Catalog, records: RecordSource) {
    this.#catalog = catalog
    this.#records = records
  }

  async sessions(query: SessionQuery, range: Range): Promise<Iterable<SessionEntry>> {
    const asked = fieldsAsked(query)
    if (asked.length === 0) return this.#catalog.sessions(query, range)
    const { after, limit, moment, signal } = range
    const plain = { ...query, where: undefined, by: undefined }
    const sign = query.direction === "asc" ? 1 : -1
    const matching: SessionEntry[] = []
    for await (const { entry, body } of this.#read(
      await this.#catalog.sessions(plain, { moment, signal }),
      signal,
    )) {
      const values = new Map(asked.map((field) => [field.name, fieldValue(fieldsOf(body), field)]))
      if (!matchesFields(values, query)) continue
      const { id, project, time } = entry
      const position = query.by ? positionOf(values.get(query.by.name) ?? MISSING, id) : { time, id }
      if (!after || sign * comparePosition(position, after) > 0)
        matching.push({ ...position, project, from: entry.from })
    }
    matching.sort((a, b) => sign * comparePosition(a, b))
    return limit === undefined ? matching : matching.slice(0, limit)
  }

  async countSessions(query: SessionQuery, signal?: AbortSignal): Promise<number> {
    if (fieldsAsked(query).length === 0) return this.#catalog.countSessions(query, signal)
    return [...(await this.sessions(query, { signal }))].length
  }

  copies(
    ids: readonly string[],
    projectID: string | undefined,
    range: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    return this.#catalog.copies(ids, projectID, range)
  }

  messages(...asked: Parameters<Catalog["messages"]>): ReturnType<Catalog["messages"]> {
    return this.#catalog.messages(...asked)
  }

  countMessages(sessionID: string): Promise<number> {
    return this.#catalog.countMessages(sessionID)
  }

  withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#catalog.withSeveralSteps(messageIDs)
  }

  guessFolder(kind: "message" | "part", id: string): Promise<string | undefined> {
    return this.#catalog.guessFolder(kind, id)
  }

  /** Yields these sessions with their bodies, without those that can no longer be read. */
  async *#read(entries: Iterable<SessionEntry>, signal: AbortSignal | undefined) {
    for (const [project, same] of Map.groupBy(entries, (entry) => entry.project))
      for (let start = 0; start < same.length; start += BODIES_AT_ONCE) {
        signal?.throwIfAborted()
        const group = same.slice(start, start + BODIES_AT_ONCE)
        const bodies = await this.#records.read(
          "session",
          project,
          group.map(({ id }) => id),
        )
        for (const [at, entry] of group.entries()) {
          const body = bodies[at]
          if (body) yield { entry, body }
        }
      }
  }
}
