import { Database } from "bun:sqlite"
import * as fs from "node:fs"
import { join } from "node:path"
import { fieldsOf, isJsonObject, type JsonObject } from "../../src/record/extract.ts"

/** What release 1.18.34 of opencode made, of which the tables are taken. */
const MADE = join(import.meta.dir, "../../test/fixtures/trees/opencode-1.18.34/opencode.db")
const FILLED = ["session", "message", "part", "project", "todo", "event", "event_sequence"]

/** Puts a store's sessions, messages and parts into a new database as release 1.18.34 keeps them, as it lies there once the agent has ended. */
export function makeDatabase(store: string, path: string): void {
  fs.copyFileSync(MADE, path)
  const db = new Database(path)
  try {
    for (const pragma of ["journal_mode = WAL", "synchronous = OFF", "foreign_keys = OFF"])
      db.run(`PRAGMA ${pragma}`)
    db.transaction(() => {
      for (const table of FILLED) db.run(`DELETE FROM ${table}`)
      convert(store, db)
    })()
  } finally {
    db.close()
  }
}

function convert(store: string, db: Database): void {
  const putSession = db.query(
    `INSERT INTO session (id, project_id, parent_id, slug, directory, title, version, time_created, time_updated)
      VALUES (?, ?, ?, 'slug', ?, ?, ?, ?, ?)`,
  )
  const putMessage = db.query("INSERT INTO message VALUES (?, ?, ?, ?, ?)")
  const putPart = db.query("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)")
  const putProject = db.query(
    "INSERT INTO project (id, worktree, time_created, time_updated, sandboxes) VALUES (?, '/', 1, 1, '[]')",
  )
  const putNumber = db.query("INSERT INTO event_sequence (aggregate_id, seq) VALUES (?, ?)")
  for (const project of names(join(store, "session"))) {
    putProject.run(project)
    for (const [id, session] of records(join(store, "session", project))) {
      const { created, updated } = times(session)
      putSession.run(
        id,
        project,
        text(session.parentID),
        text(session.directory) ?? "/",
        text(session.title) ?? "",
        text(session.version) ?? "",
        created,
        updated,
      )
      let changes = 0
      for (const [messageID, { id: _, sessionID: __, ...message }] of records(join(store, "message", id))) {
        const { created, updated } = times(message)
        putMessage.run(messageID, id, created, updated, JSON.stringify(message))
        changes++
        for (const [partID, { id: _, sessionID: __, messageID: ___, ...part }] of records(
          join(store, "part", messageID),
        )) {
          putPart.run(partID, messageID, id, created, updated, JSON.stringify(part))
          changes++
        }
      }
      putNumber.run(id, changes)
    }
  }
}

function names(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : []
}

function* records(folder: string): Generator<[string, JsonObject]> {
  for (const name of names(folder)) {
    const body: unknown = JSON.parse(fs.readFileSync(join(folder, name), "utf8"))
    if (isJsonObject(body)) yield [name.slice(0, -".json".length), body]
  }
}

function times(body: JsonObject): { readonly created: number; readonly updated: number } {
  const { created, updated, completed } = fieldsOf(body.time)
  return { created: Number(created), updated: Number(updated ?? completed ?? created) }
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null
}
