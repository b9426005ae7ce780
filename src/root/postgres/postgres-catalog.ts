import type { Position } from "../../record/order.ts"
import type { SessionQuery } from "../../record/query.ts"
import type { Catalog, Range, SessionCopy, SessionEntry } from "../catalog.ts"
import type { FleetAccess } from "./access.ts"
import { countMessages, foldersOfRecord, listMessages, withSeveralSteps } from "./message-list.ts"
import type { MessagesAhead } from "./messages-ahead.ts"
import type { ReadAhead } from "./read-ahead.ts"
import type { Reading } from "./record-rows.ts"
import { copiesOf, countSessions, listSessions } from "./session-list.ts"
import type { SessionsAhead } from "./sessions-ahead.ts"

/** Lists what there is in a fleet's database: of each session the copy that counts. */
export class PostgresCatalog implements Catalog {
  readonly #access: FleetAccess
  readonly #ahead: MessagesAhead
  readonly #sessions: SessionsAhead
  readonly #reading: Reading
  /** The sessions that were listed for a caller's `moment`, as they were then. */
  readonly #moments = new WeakMap<object, Map<string, SessionCopy>>()

  constructor(access: FleetAccess, { ahead, sessions }: ReadAhead, reading: Reading) {
    this.#access = access
    this.#ahead = ahead
    this.#sessions = sessions
    this.#reading = reading
  }

  async sessions(query: SessionQuery, range: Range): Promise<readonly SessionEntry[]> {
    const { me, maxRecordBytes } = this.#reading
    // A search by title will read each of them.
    const bodies = range.bodies ?? (query.search && "some")
    const entries = await this.#access.quietly<SessionEntry[]>([], (db) =>
      listSessions(db, query, { ...range, bodies }, me, maxRecordBytes),
    )
    if (query.search && query.projectID === undefined)
      this.#sessions.put(
        entries.flatMap(({ id, project, body, from }) =>
          // If there are other copies, they may lie in other projects.
          body === undefined || from?.alsoOn.length !== 0
            ? []
            : { id, project, projects: [project], body, size: body.length },
        ),
      )
    if (range.moment && query.order === "updated") {
      // A session that is updated between two questions with one moment must not be newer in the second answer.
      const known = this.#moments.get(range.moment) ?? new Map<string, SessionCopy>()
      for (const { id, project, time } of entries) known.set(id, { project, updated: time })
      this.#moments.set(range.moment, known)
    }
    return entries
  }

  countSessions(query: SessionQuery): Promise<number> {
    return this.#access.quietly(0, (db) => countSessions(db, query, this.#reading.me))
  }

  async copies(
    ids: readonly string[],
    projectID: string | undefined,
    { moment }: Pick<Range, "moment" | "signal">,
  ): Promise<ReadonlyMap<string, SessionCopy>> {
    const then = moment && this.#moments.get(moment)
    const copies = await this.#access.quietly(new Map<string, SessionCopy>(), (db) =>
      copiesOf(db, ids, projectID, this.#reading.me),
    )
    for (const id of ids) {
      const copy = then?.get(id)
      if (copy && (projectID === undefined || copy.project === projectID)) copies.set(id, copy)
    }
    return copies
  }

  /** @throws StoreError if the database cannot be used, since a conversation that ends too soon would look whole */
  async *messages(
    sessionID: string,
    direction: "asc" | "desc",
    range: Range,
  ): AsyncGenerator<readonly Position[]> {
    const ask = this.#access.ask.bind(this.#access)
    for await (const run of listMessages(ask, sessionID, direction, range, this.#reading.me)) {
      this.#ahead.expect(
        sessionID,
        run.map(({ id }) => id),
        true,
      )
      yield run
    }
  }

  countMessages(sessionID: string): Promise<number> {
    return this.#access.quietly(0, (db) => countMessages(db, sessionID, this.#reading.me))
  }

  withSeveralSteps(messageIDs: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#access.quietly(new Set(messageIDs), (db) => withSeveralSteps(db, messageIDs))
  }

  async guessFolder(kind: "message" | "part", id: string): Promise<string | undefined> {
    const folders = await this.#access.quietly<string[]>([], (db) =>
      foldersOfRecord(db, kind, id, this.#reading.me),
    )
    return folders[0]
  }
}
