import { FleetConnection } from "../../postgres/connection.ts"
import type { SessionOrigin } from "../catalog.ts"
import { ProblemLog } from "../problem-log.ts"
import type { Root, RootContext } from "../root.ts"
import { FleetAccess } from "./access.ts"
import { MessagesAhead } from "./messages-ahead.ts"
import { PostgresCatalog } from "./postgres-catalog.ts"
import type { PostgresOptions } from "./postgres-options.ts"
import { PostgresRecords } from "./postgres-records.ts"
import { PostgresTexts } from "./postgres-texts.ts"
import { PostgresUpkeep } from "./postgres-upkeep.ts"
import { originsOf } from "./session-list.ts"
import { SessionsAhead } from "./sessions-ahead.ts"

/** What many machines publish in a PostgreSQL database, each session once. */
export class PostgresRoot implements Root {
  readonly source = "fleet"
  readonly place: string
  readonly catalog: PostgresCatalog
  readonly records: PostgresRecords
  readonly texts: PostgresTexts
  readonly upkeep: PostgresUpkeep
  readonly origins: (ids: readonly string[]) => Promise<ReadonlyMap<string, SessionOrigin>>

  constructor(url: string, { machine = "", timeout }: PostgresOptions, context: RootContext) {
    const fleet = new FleetConnection(url, timeout === undefined ? {} : { timeout })
    this.place = fleet.place
    const access = new FleetAccess(fleet, context.tell)
    const reading = { me: machine, maxRecordBytes: context.maxRecordBytes }
    this.origins = (ids) =>
      access.quietly(new Map<string, SessionOrigin>(), (db) => originsOf(db, ids, machine))
    const ahead = new MessagesAhead(access, reading)
    const sessions = new SessionsAhead()
    this.catalog = new PostgresCatalog(access, { ahead, sessions }, reading)
    this.records = new PostgresRecords(access, { ahead, sessions }, reading, new ProblemLog(context.tell))
    this.texts = new PostgresTexts(access, this.records, reading, sessions, context)
    this.upkeep = new PostgresUpkeep(access, this.records, reading, () => void fleet.close())
  }
}
