import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import { join } from "node:path"

const KINDS = ["session", "message", "part"] as const

function open(path: string): Database {
  const database = new Database(path, { create: true })
  database.run("PRAGMA journal_mode = WAL")
  database.run("PRAGMA synchronous = NORMAL")
  database.run(
    "CREATE TABLE records (kind TEXT, folder TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, folder, id))",
  )
  return database
}

function namesOf(directory: string): [kind: string, folder: string, id: string][] {
  return KINDS.flatMap((kind) =>
    fs
      .readdirSync(join(directory, kind))
      .flatMap((folder) =>
        fs
          .readdirSync(join(directory, kind, folder))
          .map((name): [string, string, string] => [kind, folder, name]),
      ),
  )
}

/** Awaits each file and commits each row by itself, bodies in the database. */
export async function rowByRow(directory: string, databasePath: string): Promise<void> {
  using database = open(databasePath)
  const insert = database.query("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)")
  for (const [kind, folder, id] of namesOf(directory)) {
    const body = await Bun.file(join(directory, kind, folder, id)).json()
    insert.run(kind, folder, id, JSON.stringify(body))
  }
}

/** Lists all names, reads 1,000 files at a time, inserts 1,000 bodies a statement, all in one transaction without flushes. */
export async function bulkImport(directory: string, databasePath: string): Promise<void> {
  using database = open(databasePath)
  database.run("PRAGMA synchronous = OFF")
  const names = namesOf(directory)
  database.run("BEGIN")
  for (let at = 0; at < names.length; at += 1_000) {
    const some = names.slice(at, at + 1_000)
    const bodies = await Promise.all(
      some.map(([kind, folder, id]) => Bun.file(join(directory, kind, folder, id)).json()),
    )
    database
      .query(`INSERT OR REPLACE INTO records VALUES ${some.map(() => "(?, ?, ?, ?)").join()}`)
      .run(...some.flatMap((name, i) => [...name, JSON.stringify(bodies[i])]))
  }
  database.run("COMMIT")
}
