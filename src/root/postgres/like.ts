import { type SQL, sql } from "drizzle-orm"
import { storable } from "../../postgres/storable.ts"
import type { ParsedQuery } from "../../record/search-query.ts"

/** The LIKE pattern of all texts that contain a term. */
export function holding(term: string): string {
  return `%${storable(term).replace(/[\\%_]/g, "\\$&")}%`
}

/** The condition that a folded title matches a query; a missing title counts as empty. */
export function titleMatches({ wanted, excluded }: ParsedQuery): SQL {
  const all = [
    ...wanted.map((term) => sql`coalesce(s.folded, '') like ${holding(term)}`),
    ...excluded.map((term) => sql`coalesce(s.folded, '') not like ${holding(term)}`),
  ]
  return all.length === 0 ? sql`true` : sql.join(all, sql` and `)
}
