import type { SQLiteBunDatabase } from "drizzle-orm/bun-sqlite"

/** Drizzle over bun:sqlite, as every statement takes it. */
export type Drizzle = SQLiteBunDatabase
