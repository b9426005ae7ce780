import { DirectoryStatements } from "./directory-statements.ts"
import type { Drizzle } from "./drizzle.ts"
import { ListingStatements } from "./listing-statements.ts"
import { MessageStatements, PartStatements, SessionStatements } from "./record-statements.ts"

/** All prepared statements of one connection; each is prepared when it is first needed. */
export class Statements {
  readonly directories: DirectoryStatements
  readonly session: SessionStatements
  readonly message: MessageStatements
  readonly part: PartStatements
  readonly listings: ListingStatements

  constructor(db: Drizzle) {
    this.directories = new DirectoryStatements(db)
    this.session = new SessionStatements(db)
    this.message = new MessageStatements(db)
    this.part = new PartStatements(db)
    this.listings = new ListingStatements(db)
  }
}
