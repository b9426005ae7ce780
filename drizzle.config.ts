import { defineConfig } from "drizzle-kit"

/**
 * `bunx --bun drizzle-kit generate | check | migrate | studio`. The last two open the index that SESSIONDEX_INDEX names, as
 * `<store>/.sessiondex/index.sqlite`, or one of their own beside this file.
 */
export default defineConfig({
  dialect: "sqlite",
  schema: "./src/database/schema.ts",
  out: "./drizzle",
  dbCredentials: { url: process.env.SESSIONDEX_INDEX ?? "./drizzle.sqlite" },
})
