import { eq, sql } from "drizzle-orm"
import type { FieldValue } from "../record/fields.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { sessionFields, sessions } from "./schema.ts"
import { soundText, soundValue } from "./sound.ts"

const { placeholder } = sql

/** The value of a declared field of a session in the index. */
export interface FieldRow {
  readonly name: string
  readonly value: FieldValue
  readonly id: string
  readonly project: string
}

/** Prepared statements over the declared fields of sessions. */
export class SessionFieldStatements {
  readonly #put
  readonly #of

  constructor(db: Drizzle) {
    const { row, name, value, id, project } = sessionFields
    const given = (parameter: string) => sql`${placeholder(parameter)}`
    this.#put = lazy(() =>
      db
        .insert(sessionFields)
        .values({
          row: sql`(select ${sessions.row} from ${sessions} where ${sessions.directory} = ${placeholder("directory")} and ${sessions.id} = ${placeholder("id")})`,
          name: given("name"),
          value: given("value"),
          id: given("id"),
          project: given("project"),
        })
        .onConflictDoUpdate({
          target: [row, name],
          set: { value: sql`excluded.value` },
          setWhere: sql`${value} is not excluded.value`,
        })
        .prepare(),
    )
    this.#of = lazy(() =>
      db
        .select({ name, value, id, project })
        .from(sessionFields)
        .where(eq(row, placeholder("row")))
        .prepare(),
    )
  }

  /** Puts the fields of a session whose row was just put. */
  put({ directory, id, project, values }: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of values as readonly (readonly [string, FieldValue])[])
      this.#put().run({ directory, id, project, name, value })
  }

  /** The fields of a row of `sessions`, by name. */
  of(row: number): FieldRow[] {
    return this.#of()
      .all({ row })
      .map(({ name, value, id, project }) => ({
        name: soundText("name", name),
        value: soundValue("value", value),
        id: soundText("id", id),
        project: soundText("project", project),
      }))
  }
}
