import { type SQL, sql } from "drizzle-orm"
import { segmentFault } from "../../record/key.ts"

/** Separators and control characters, as a pattern for SQLite's GLOB. NUL ends a text there and is checked separately. */
const FORBIDDEN = `'*[/\\' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || ']*'`
/** The longest id, in bytes: 255 less `.json`. */
const LONGEST = 250

/** The condition that a column can be a segment of a key (`segmentFault`). A row with another id is no record; `oddRows` reports it. */
export function isId(column: SQL): SQL {
  return sql`(typeof(${column}) = 'text' and ${column} <> '' and (${column} < '.' or ${column} >= '/')
    and ${column} not glob ${sql.raw(FORBIDDEN)} and instr(${column}, char(0)) = 0 and octet_length(${column}) <= ${sql.raw(String(LONGEST))})`
}

/** Fetches pages until `limit` rows have a valid id. For many rows this check costs less here than in SQLite. */
export function withIds<T>(
  limit: number,
  fetch: (after: T | undefined) => readonly T[],
  idOf: (row: T) => string,
): T[] {
  const found: T[] = []
  for (let after: T | undefined; ; ) {
    const rows = fetch(after)
    for (const row of rows) {
      if (segmentFault(idOf(row)) !== undefined) continue
      found.push(row)
      if (found.length === limit) return found
    }
    after = rows.at(-1)
    if (after === undefined || rows.length < limit) return found
  }
}
