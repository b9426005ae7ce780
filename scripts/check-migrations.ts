/** Checks that `drizzle/` and the schema agree, that every migration is embedded and in order, and every statement separated. */
import { Database } from "bun:sqlite"
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { migrations } from "../src/database/migrations.ts"

const root = join(import.meta.dir, "..")
const faults: string[] = []

async function checkEmbedded(): Promise<void> {
  const folders = (await readdir(join(root, "drizzle"))).sort()
  const names = migrations.map(({ name }) => name)
  if (folders.join() !== names.join())
    faults.push(`src/database/migrations.ts embeds [${names}], but drizzle/ holds [${folders}]`)
  for (const [place, { name, timestamp, sql }] of migrations.entries()) {
    // A migration dated before the last applied one is skipped silently.
    if (timestamp <= (migrations[place - 1]?.timestamp ?? 0))
      faults.push(`${name} is not dated after the one before it`)
    if (sql !== (await readFile(join(root, "drizzle", name, "migration.sql"), "utf8")))
      faults.push(`${name} is not embedded as it lies in drizzle/`)
  }
}

/** Only the first statement of a chunk would run, so no chunk may hold a second one; and each must run. */
function checkSeparated(): void {
  const database = new Database(":memory:")
  for (const { name, sql } of migrations)
    for (const chunk of sql.split("--> statement-breakpoint")) {
      database.query(chunk).run()
      const rest = withoutFirstStatement(chunk)
      if (rest) faults.push(`${name} lacks a --> statement-breakpoint before: ${rest}`)
    }
}

/** What follows the first `;` outside quotes, parentheses, comments and trigger bodies. */
function withoutFirstStatement(chunk: string): string {
  const text = chunk.replace(/--[^\n]*/g, "").replace(/\bbegin\b[\s\S]*?\bend\b/gi, "")
  const [, ...rest] = text.replace(/'(?:[^']|'')*'|`[^`]*`|"[^"]*"/g, "x").split(";")
  return rest.join(";").trim()
}

/** drizzle-kit must find nothing left to generate. */
async function checkAgreement(): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), "sessiondex-drizzle-"))
  try {
    await cp(join(root, "drizzle"), copy, { recursive: true })
    const before = (await readdir(copy)).length
    const kit = Bun.spawn(
      [
        "bun",
        "--bun",
        "drizzle-kit",
        "generate",
        "--dialect",
        "sqlite",
        "--schema",
        "./src/database/schema.ts",
        "--out",
        copy,
      ],
      { cwd: root, stdout: "pipe", stderr: "pipe", stdin: "ignore" },
    )
    const output = (await new Response(kit.stdout).text()) + (await new Response(kit.stderr).text())
    if ((await kit.exited) !== 0) faults.push(`drizzle-kit generate failed:\n${output}`)
    else if ((await readdir(copy)).length !== before)
      faults.push("src/database/schema.ts and drizzle/ disagree: run `bun run db:generate`")
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

await checkEmbedded()
checkSeparated()
await checkAgreement()
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
else
  console.log(
    `${migrations.length} migration(s): embedded, in order, separated, and agreeing with the schema`,
  )
