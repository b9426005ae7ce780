/** Checks that both folders of migrations and their schemas agree, that each is embedded and in order, and every statement separated. */
import { Database } from "bun:sqlite"
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Migration, statementsOf } from "../src/database/migration.ts"
import { migrations } from "../src/database/migrations.ts"
import { fleetMigrations } from "../src/postgres/migrations.ts"

const root = join(import.meta.dir, "..")
const faults: string[] = []

/** One database's migrations. */
interface Migrated {
  readonly dialect: "sqlite" | "postgresql"
  readonly schema: string
  /** Where they lie, and which files embed them. */
  readonly folder: string
  readonly embeddedBy: string
  readonly migrations: readonly Migration[]
}

const FLEET = "postgres"
const databases: readonly Migrated[] = [
  {
    dialect: "sqlite",
    schema: "./src/database/schema.ts",
    folder: "drizzle",
    embeddedBy: "src/database/migrations.ts",
    migrations,
  },
  {
    dialect: "postgresql",
    schema: "./src/postgres/schema.ts",
    folder: `drizzle/${FLEET}`,
    embeddedBy: "src/postgres/migrations.ts",
    migrations: fleetMigrations,
  },
]

async function checkEmbedded({ folder, embeddedBy, migrations }: Migrated): Promise<void> {
  const folders = (await readdir(join(root, folder))).filter((name) => name !== FLEET).sort()
  const names = migrations.map(({ name }) => name)
  if (folders.join() !== names.join())
    faults.push(`${embeddedBy} embeds [${names}], but ${folder}/ holds [${folders}]`)
  for (const [place, { name, timestamp, sql }] of migrations.entries()) {
    // A migration dated before the last applied one is skipped silently.
    if (timestamp <= (migrations[place - 1]?.timestamp ?? 0))
      faults.push(`${name} is not dated after the one before it`)
    if (sql !== (await readFile(join(root, folder, name, "migration.sql"), "utf8")))
      faults.push(`${name} is not embedded as it lies in ${folder}/`)
  }
}

/** Only the first statement of a chunk would run, so no chunk may hold a second one; those of SQLite must run here, PostgreSQL's do in its tests. */
function checkSeparated({ dialect, migrations }: Migrated): void {
  const database = new Database(":memory:")
  for (const migration of migrations)
    for (const chunk of statementsOf(migration)) {
      if (dialect === "sqlite") database.query(chunk).run()
      const rest = withoutFirstStatement(chunk)
      if (rest) faults.push(`${migration.name} lacks a --> statement-breakpoint before: ${rest}`)
    }
}

/** What follows the first `;` outside quotes, parentheses, comments and trigger bodies. */
function withoutFirstStatement(chunk: string): string {
  const text = chunk.replace(/--[^\n]*/g, "").replace(/\bbegin\b[\s\S]*?\bend\b/gi, "")
  const [, ...rest] = text.replace(/'(?:[^']|'')*'|`[^`]*`|"[^"]*"/g, "x").split(";")
  return rest.join(";").trim()
}

/** drizzle-kit must find nothing left to generate. */
async function checkAgreement({ dialect, schema, folder }: Migrated): Promise<void> {
  const copy = await mkdtemp(join(tmpdir(), "sessiondex-drizzle-"))
  try {
    await cp(join(root, folder), copy, { recursive: true })
    const before = (await readdir(copy)).length
    const kit = Bun.spawn(
      ["bun", "--bun", "drizzle-kit", "generate", "--dialect", dialect, "--schema", schema, "--out", copy],
      { cwd: root, stdout: "pipe", stderr: "pipe", stdin: "ignore" },
    )
    const output = (await new Response(kit.stdout).text()) + (await new Response(kit.stderr).text())
    if ((await kit.exited) !== 0) faults.push(`drizzle-kit generate failed:\n${output}`)
    else if ((await readdir(copy)).length !== before)
      faults.push(
        `${schema} and ${folder}/ disagree: run \`bun run db:generate\` or \`db:generate:postgres\``,
      )
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

for (const database of databases) {
  await checkEmbedded(database)
  checkSeparated(database)
  await checkAgreement(database)
}
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
else
  console.log(
    `${databases.map(({ migrations }) => migrations.length).join(" and ")} migrations: embedded, in order, separated, and agreeing with their schemas`,
  )
