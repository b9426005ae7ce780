import { type SQL, type SQLWrapper, sql } from "drizzle-orm"

/**
 * The condition that a column is in a list of any length. A prepared statement takes the list as one parameter: the JSON text of an
 * array (sqlite.org/json1.html, 4.23).
 */
export function amongst(column: SQLWrapper, parameter: string): SQL {
  return sql`${column} in (select value from json_each(${sql.placeholder(parameter)}))`
}
