import { type Field, type FieldCondition, type FieldValue, isWithin } from "./fields.ts"
import type { ParsedQuery } from "./search-query.ts"

/** Which sessions, in which order; `undefined` means "any". */
export interface SessionQuery {
  readonly projectID?: string | undefined
  /** Only sessions of these agents. For a root with a single agent the caller decides; the root need not look. */
  readonly sources?: readonly string[] | undefined
  /** A parent's id for its children, `null` for sessions without a parent. */
  readonly parentID?: string | null | undefined
  /** The work tree a session ran in, compared as text. */
  readonly directory?: string | undefined
  readonly archived: "include" | "exclude" | "only"
  /** Only sessions updated at or after this time, ms since 1970. */
  readonly updatedSince?: number | undefined
  /** Only sessions whose title matches. */
  readonly search?: ParsedQuery | undefined
  /** Only sessions whose declared fields meet all of these. */
  readonly where?: readonly FieldCondition[] | undefined
  readonly order: "updated" | "created"
  /** A declared field to order by instead of `order`. */
  readonly by?: Field | undefined
  readonly direction: "asc" | "desc"
}

/** The declared fields that a query asks about. */
export function fieldsAsked({ where = [], by }: SessionQuery): readonly Field[] {
  const fields = where.map(({ field }) => field)
  return by ? [by, ...fields] : fields
}

/** Whether a session's values, by field name, meet all conditions of a query. */
export function matchesFields(
  values: ReadonlyMap<string, FieldValue>,
  { where = [] }: SessionQuery,
): boolean {
  return where.every((condition) => {
    const value = values.get(condition.field.name)
    return value !== undefined && isWithin(value, condition)
  })
}
