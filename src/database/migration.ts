/** A migration. Its name and date are those of its folder in `drizzle/`. */
export interface Migration {
  readonly name: string
  readonly timestamp: number
  readonly sql: string
}

const FOLDER_DATE = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})_/

/** Makes a migration from its name and text. @throws TypeError if the name has no date */
export function migration(name: string, sql: string): Migration {
  const date = FOLDER_DATE.exec(name)
  if (!date) throw new TypeError(`Not the name of a migration folder: ${name}`)
  const [year, month, day, hour, minute, second] = date.slice(1).map(Number)
  return { name, sql, timestamp: Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second) }
}

/** The statements of a migration. They are separated by breakpoints, because only the first statement of a chunk would run. */
export function statementsOf({ sql }: Migration): string[] {
  return sql.split("--> statement-breakpoint")
}
