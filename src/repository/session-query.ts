import type { DeclaredFields, FieldTypes, NoFields } from "../record/fields.ts"
import { checkKey } from "../record/key.ts"
import { parseQuery } from "../record/search-query.ts"
import { checkChoice, checkTime } from "../root/check.ts"
import { checkOrder, conditionsOf, type FieldTests } from "./field-tests.ts"
import type { ProjectFilter } from "./of-projects.ts"
import { namesOf, type SourceFilter } from "./of-source.ts"
import type { RootsQuery } from "./roots.ts"

/** Which sessions to list; a store with declared fields can filter by these too. */
export interface SessionFilter<F extends FieldTypes = NoFields> {
  /** Only sessions of this project, or these, such as the `ids` of a group. Of copies in several of them the newest counts. */
  projectID?: ProjectFilter | undefined
  /** A parent's id for its children; `null` for sessions without a parent. */
  parentID?: string | null | undefined
  /** Only sessions that ran in this work tree. */
  directory?: string | undefined
  /** Only sessions that are read from the history of this agent, or these. */
  source?: SourceFilter | undefined
  /** By default `"include"`. */
  archived?: "include" | "exclude" | "only" | undefined
  /** Only sessions updated at or after this time, ms since 1970. */
  updatedSince?: number | undefined
  /** Only sessions whose title contains these words, as in `store.search`. */
  search?: string | undefined
  /** Only sessions whose declared fields pass all of these tests. */
  where?: FieldTests<F> | undefined
  signal?: AbortSignal | undefined
}

/** Which sessions to list, in which order, and how many. */
export interface SessionListOptions<F extends FieldTypes = NoFields> extends SessionFilter<F> {
  /**
   * By default `"updated"`. With a declared field, sessions with equal values are ordered by id, and sessions without a value of its type
   * count as the least, so they come last by default.
   */
  order?: SessionOrder<F> | undefined
  /** `"desc"` (newest or greatest first, the default) or `"asc"`. */
  direction?: "asc" | "desc" | undefined
  /** How many at most. */
  limit?: number | undefined
}

/** Which page of sessions. */
export interface SessionPageOptions<F extends FieldTypes = NoFields> extends SessionFilter<F> {
  /** As in a list; the newest or greatest come first. */
  order?: SessionOrder<F> | undefined
  /** The `older` or `newer` of another page with the same order. */
  cursor?: string | undefined
  /** How many sessions the page has at most; by default 50. */
  limit?: number | undefined
}

/** What sessions are ordered by: a time, or a declared field. */
export type SessionOrder<F extends FieldTypes = NoFields> = "updated" | "created" | (keyof F & string)

/** Options with fields that are not checked yet. */
type QueryOptions = Omit<SessionListOptions, "where" | "order"> & {
  readonly where?: unknown
  readonly order?: string | undefined
}

/** Checks options and makes a query of them, without its projects. @throws TypeError; StoreError `INVALID_KEY` */
export function toQuery(options: QueryOptions, declared?: DeclaredFields): RootsQuery {
  const { parentID, directory, updatedSince } = options
  if (parentID !== undefined && parentID !== null) checkKey([parentID])
  for (const [name, value] of Object.entries({ directory, search: options.search }))
    if (value !== undefined && typeof value !== "string")
      throw new TypeError(`${name} must be a text, not ${String(value)}`)
  checkTime("updatedSince", updatedSince)
  const by = options.order === undefined ? undefined : declared?.find(options.order)
  return {
    sources: namesOf(options.source),
    parentID,
    directory: directory?.toWellFormed(),
    updatedSince,
    search: options.search === undefined ? undefined : parseQuery(options.search),
    archived: checkChoice("archived", options.archived, ["include", "exclude", "only"], "include"),
    where: conditionsOf(options.where, declared),
    order: by ? "updated" : checkOrder(options.order, declared),
    by,
    direction: checkChoice("direction", options.direction, ["asc", "desc"], "desc"),
  }
}
