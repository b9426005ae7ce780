import type { BunSQLDatabase } from "drizzle-orm/bun-sql/postgres"

/** What questions are put to: the pool, or the transaction that is open on one of its connections. */
export type FleetQueries = Pick<
  BunSQLDatabase,
  "select" | "selectDistinct" | "insert" | "update" | "delete" | "execute" | "with"
>
