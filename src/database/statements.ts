import type { Place } from "../record/kind.ts"
import { DirectoryStatements } from "./directory-statements.ts"
import type { Drizzle } from "./drizzle.ts"
import type { FullTextStatements } from "./full-text-statements.ts"
import { lazy } from "./lazy.ts"
import { ListingStatements } from "./listing-statements.ts"
import { RecordStatements } from "./record-statements.ts"
import { messages, parts, sessions } from "./schema.ts"
import type { SessionFieldStatements } from "./session-field-statements.ts"
import type { StepStatements } from "./step-statements.ts"
import type { TextStatements } from "./text-statements.ts"
import type { TranscriptStatements } from "./transcript-statements.ts"
import type { VersionStatements } from "./version-statements.ts"

/** All prepared statements of one connection. Each group is made, and each statement prepared, when it is first needed. */
export class Statements {
  readonly directories: DirectoryStatements
  readonly listings: ListingStatements
  readonly #session
  readonly #message
  readonly #part
  readonly #fields
  readonly #steps
  readonly #texts
  readonly #fullText
  readonly #transcripts
  readonly #versions

  constructor(db: Drizzle) {
    this.directories = new DirectoryStatements(db)
    this.listings = new ListingStatements(db)
    this.#session = lazy(() => new RecordStatements(db, sessions, (rows) => this.#putFields(rows)))
    this.#message = lazy(() => new RecordStatements(db, messages))
    this.#part = lazy(() => new RecordStatements(db, parts))
    this.#fields = lazy((): SessionFieldStatements => {
      const { SessionFieldStatements }: typeof import("./session-field-statements.ts") =
        require("./session-field-statements.ts")
      return new SessionFieldStatements(db)
    })
    this.#steps = lazy((): StepStatements => {
      const { StepStatements }: typeof import("./step-statements.ts") = require("./step-statements.ts")
      return new StepStatements(db)
    })
    this.#texts = lazy((): TextStatements => {
      const { TextStatements }: typeof import("./text-statements.ts") = require("./text-statements.ts")
      return new TextStatements(db)
    })
    this.#fullText = lazy((): FullTextStatements => {
      const { FullTextStatements }: typeof import("./full-text-statements.ts") =
        require("./full-text-statements.ts")
      return new FullTextStatements(db)
    })
    this.#transcripts = lazy((): TranscriptStatements => {
      const { TranscriptStatements }: typeof import("./transcript-statements.ts") =
        require("./transcript-statements.ts")
      return new TranscriptStatements(db)
    })
    this.#versions = lazy((): VersionStatements => {
      const { VersionStatements }: typeof import("./version-statements.ts") =
        require("./version-statements.ts")
      return new VersionStatements(db)
    })
  }

  get session(): RecordStatements {
    return this.#session()
  }

  get message(): RecordStatements {
    return this.#message()
  }

  get part(): RecordStatements {
    return this.#part()
  }

  /** Declared fields of sessions. */
  get fields(): SessionFieldStatements {
    return this.#fields()
  }

  get steps(): StepStatements {
    return this.#steps()
  }

  get texts(): TextStatements {
    return this.#texts()
  }

  get fullText(): FullTextStatements {
    return this.#fullText()
  }

  get transcripts(): TranscriptStatements {
    return this.#transcripts()
  }

  #putFields(rows: readonly Readonly<Record<string, unknown>>[]): void {
    for (const row of rows) if (Array.isArray(row.values)) this.fields.put(row)
  }

  get versions(): VersionStatements {
    return this.#versions()
  }

  /** Clears the stamps of a folder and of its rows, so that the next reconcile reads everything in it. */
  distrust(place: Place): void {
    const row = this.directories.find(place)
    if (!row) return
    this[place.kind].distrust(row.id)
    this.directories.settle(row.id, { stamp: null, size: 0, entries: 0 })
  }

  /** Clears the stamp of one row if it says that its record is readable, so that the next reconcile reads the file. */
  doubt(place: Place, id: string): void {
    const row = this.directories.find(place)
    if (row && this[place.kind].doubt(row.id, id)) this.directories.touch(row.id)
  }
}
