import { defineConfig } from "drizzle-kit"

/** `bunx --bun drizzle-kit generate | check | migrate`; `migrate` and `studio` open the index named by SESSIONDEX_INDEX. */
export default defineConfig({
  dialect: "sqlite",
  schema: "./src/database/schema.ts",
  out: "./drizzle",
  dbCredentials: { url: process.env.SESSIONDEX_INDEX ?? "./.sessiondex/index.sqlite" },
})
