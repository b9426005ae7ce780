/// <reference path="../sql.d.ts" />
import trigrams from "../../drizzle/postgres/20261126215955_trigrams/migration.sql" with { type: "text" }
import init from "../../drizzle/postgres/20261126215957_init/migration.sql" with { type: "text" }
import sessionVersion from "../../drizzle/postgres/20261126221756_session_version/migration.sql" with {
  type: "text",
}
import { type Migration, migration } from "../database/migration.ts"

/** All migrations of the fleet's database, oldest first. `bun run db:check` compares this list with the folder. */
export const fleetMigrations: readonly Migration[] = [
  migration("20261126215955_trigrams", trigrams),
  migration("20261126215957_init", init),
  migration("20261126221756_session_version", sessionVersion),
]
