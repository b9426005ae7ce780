import type { BunSQLDatabase } from "drizzle-orm/bun-sql/postgres"

/** What runs queries: the pool, or an open transaction on one of its connections. */
export type FleetQueries = Pick<
  BunSQLDatabase,
  "select" | "selectDistinct" | "insert" | "update" | "delete" | "execute" | "with"
>
