import type { SQLiteBunDatabase } from "drizzle-orm/bun-sqlite"

/** Drizzle over bun:sqlite. */
export type Drizzle = SQLiteBunDatabase
