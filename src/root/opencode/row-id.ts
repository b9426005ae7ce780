import { type SQL, sql } from "drizzle-orm"
import { segmentFault } from "../../record/key.ts"

/** Separators and control characters, as a class of SQLite's GLOB; NUL ends its texts and is looked for apart. */
const FORBIDDEN = `'*[/\\' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || ']*'`
/** In bytes, with the file's suffix. */
const LONGEST = 250

/** Whether a column holds what can be a segment of a key (`segmentFault`); a row whose id is none is no record, and told of. */
export function isId(column: SQL): SQL {
  return sql`(typeof(${column}) = 'text' and ${column} <> '' and (${column} < '.' or ${column} >= '/')
    and ${column} not glob ${sql.raw(FORBIDDEN)} and instr(${column}, char(0)) = 0 and octet_length(${column}) <= ${sql.raw(String(LONGEST))})`
}

/** As many rows as are asked for of those whose id can be one: where rows are many, to tell them here costs less than in SQLite. */
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
