import { sql } from "drizzle-orm"
import { statementsOf } from "../database/migration.ts"
import { StoreError } from "../errors.ts"
import { fleetMigrations } from "./migrations.ts"
import type { FleetQueries } from "./queries.ts"

/** The advisory lock held during a migration: the letters "sess" as a number. */
const MIGRATION_LOCK = 0x73657373

/** How the schema of a database compares with the one this version knows. */
export type SchemaState = "none" | "older" | "current" | "newer"

/** Compares the migrations that a database has had with those of this version. */
export async function schemaState(db: FleetQueries): Promise<SchemaState> {
  const applied = await appliedMigrations(db)
  if (applied.size === 0) return "none"
  const known = new Set(fleetMigrations.map(({ name }) => name))
  if ([...applied].some((name) => !known.has(name))) return "newer"
  return applied.size < fleetMigrations.length ? "older" : "current"
}

async function appliedMigrations(db: FleetQueries): Promise<Set<string>> {
  // Not with `to_regclass`, which may give a state from before the wait for a lock.
  const [found] = await db.execute(
    sql`select 1 from pg_catalog.pg_tables where schemaname = 'sessiondex' and tablename = 'migration'`,
  )
  if (!found) return new Set()
  const rows = await db.execute<{ name: string }>(sql`select name from sessiondex.migration`)
  return new Set(rows.map(({ name }) => name))
}

/**
 * Brings a database's schema up to date, within the caller's transaction. Only one migration runs at a time; others wait.
 * @throws StoreError `FLEET_SCHEMA` if a newer version made the schema
 */
export async function migrate(db: FleetQueries, place: string): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(${MIGRATION_LOCK}::bigint)`)
  const applied = await appliedMigrations(db)
  const known = new Set(fleetMigrations.map(({ name }) => name))
  if ([...applied].some((name) => !known.has(name))) throw newerError(place)
  if (applied.size === 0) {
    await db.execute(sql`create schema if not exists sessiondex`)
    await db.execute(
      sql`create table if not exists sessiondex.migration (name text primary key, applied timestamptz not null default now())`,
    )
  }
  for (const migration of fleetMigrations) {
    if (applied.has(migration.name)) continue
    for (const statement of statementsOf(migration)) await db.execute(sql.raw(statement))
    await db.execute(sql`insert into sessiondex.migration (name) values (${migration.name})`)
  }
}

/** The error for a database whose schema is newer than this version. */
export function newerError(place: string): StoreError {
  return new StoreError("FLEET_SCHEMA", `A newer version of sessiondex made the tables in ${place}`, {
    path: place,
    hint: "Update sessiondex on this machine.",
  })
}

/** The error for a database that has no schema, or an older one than this version reads. */
export function olderError(place: string, state: "none" | "older"): StoreError {
  return state === "none"
    ? new StoreError("FLEET_SCHEMA", `Nothing was ever pushed to ${place}`, {
        path: place,
        hint: "Run `sessiondex push` with this URL first.",
      })
    : new StoreError("FLEET_SCHEMA", `An older version of sessiondex made the tables in ${place}`, {
        path: place,
        hint: "A `sessiondex push` of this version brings them up to date; readers cannot.",
      })
}
