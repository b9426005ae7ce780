import { Database } from "bun:sqlite"
import { partsOf, textOf } from "../data/words.ts"

/**
 * Puts the texts of all parts into a full-text table that SQLite's own trigram tokenizer fills, without positions as ours, in one
 * transaction: what is written by hand where nothing has to be kept. Gives how many.
 */
export function trigramImport(directory: string, path: string): number {
  const database = new Database(path)
  try {
    database.run("PRAGMA journal_mode = WAL")
    database.run("PRAGMA synchronous = NORMAL")
    database.run("CREATE VIRTUAL TABLE texts USING fts5(text, content='', tokenize='trigram', detail='none')")
    const insert = database.prepare<void, [number, string]>("INSERT INTO texts (rowid, text) VALUES (?, ?)")
    const parts = partsOf(directory)
    database.transaction(() => {
      for (const [at, part] of parts.entries()) insert.run(at + 1, textOf(part))
    })()
    return parts.length
  } finally {
    database.close()
  }
}
