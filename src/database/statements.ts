import type { Place } from "../file/layout.ts"
import { DirectoryStatements } from "./directory-statements.ts"
import type { Drizzle } from "./drizzle.ts"
import { ListingStatements } from "./listing-statements.ts"
import { RecordStatements } from "./record-statements.ts"
import { messages, parts, sessions } from "./schema.ts"
import { TextStatements } from "./text-statements.ts"

/** All prepared statements of one connection; each is prepared when it is first needed. */
export class Statements {
  readonly directories: DirectoryStatements
  readonly session: RecordStatements
  readonly message: RecordStatements
  readonly part: RecordStatements
  readonly listings: ListingStatements
  readonly texts: TextStatements

  constructor(db: Drizzle) {
    this.directories = new DirectoryStatements(db)
    this.session = new RecordStatements(db, sessions)
    this.message = new RecordStatements(db, messages)
    this.part = new RecordStatements(db, parts)
    this.listings = new ListingStatements(db)
    this.texts = new TextStatements(db)
  }

  /** Takes the stamps of a folder and of its rows away, so that the next reconcile reads everything in it. */
  distrust(place: Place): void {
    const row = this.directories.find(place)
    if (!row) return
    this[place.kind].distrust(row.id)
    this.directories.settle(row.id, { stamp: null, size: 0, entries: 0 })
  }
}
