import { Database } from "bun:sqlite"

interface Row {
  readonly data: string
}

/** The newest sessions of opencode's database as a script asks for them: opened, one question, closed. */
export function newestSessions(path: string, limit: number): unknown[] {
  using database = new Database(path, { readonly: true })
  return database.query("SELECT * FROM session ORDER BY time_updated DESC, id DESC LIMIT ?").all(limit)
}

/** The newest messages with a part that holds a word in any case, by going through the JSON of all parts. */
export function searchParts(path: string, word: string, limit: number): unknown[] {
  using database = new Database(path, { readonly: true })
  return database
    .query<Row, [string, number]>(
      "SELECT DISTINCT message_id, data FROM part WHERE data LIKE ? ORDER BY time_created DESC LIMIT ?",
    )
    .all(`%${word}%`, limit)
    .map(({ data }): unknown => JSON.parse(data))
}
