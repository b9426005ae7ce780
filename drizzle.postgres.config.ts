import { defineConfig } from "drizzle-kit"

/**
 * `bunx --bun drizzle-kit generate | check | migrate --config drizzle.postgres.config.ts`. `migrate` opens the database that
 * SESSIONDEX_POSTGRES names.
 */
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/postgres/schema.ts",
  out: "./drizzle/postgres",
  schemaFilter: ["sessiondex"],
  dbCredentials: { url: process.env.SESSIONDEX_POSTGRES ?? "postgres://localhost/sessiondex" },
})
