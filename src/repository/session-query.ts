import type { DeclaredFields, FieldTypes, NoFields } from "../record/fields.ts"
import { checkKey } from "../record/key.ts"
import { parseQuery } from "../record/search-query.ts"
import { checkChoice, checkTime } from "../root/check.ts"
import { checkOrder, conditionsOf, type FieldTests } from "./field-tests.ts"
import type { ProjectFilter } from "./of-projects.ts"
import { namesOf, type SourceFilter } from "./of-source.ts"
import type { RootsQuery } from "./roots.ts"

/** Which sessions; of a store that declares fields, also by these. */
export interface SessionFilter<F extends FieldTypes = NoFields> {
  /** Of this project, or these, as `ids` of a group; of copies in several of them the newest. */
  projectID?: ProjectFilter | undefined
  /** A parent's id for its children; `null` for sessions without a parent. */
  parentID?: string | null | undefined
  /** The work tree the session ran in. */
  directory?: string | undefined
  /** Only sessions that are read from the history of this agent, or these. */
  source?: SourceFilter | undefined
  /** By default `"include"`. */
  archived?: "include" | "exclude" | "only" | undefined
  /** Only sessions updated at or after this time, ms since 1970. */
  updatedSince?: number | undefined
  /** Only sessions whose title holds these words; as in `store.search`. */
  search?: string | undefined
  /** Only sessions whose declared fields are as all of these say. */
  where?: FieldTests<F> | undefined
  signal?: AbortSignal | undefined
}

/** Which sessions, in which order, and how many. */
export interface SessionListOptions<F extends FieldTypes = NoFields> extends SessionFilter<F> {
  /**
   * By default `"updated"`; or a declared field, whose equals come by id. Sessions without a value of its type are the least: last
   * by default.
   */
  order?: SessionOrder<F> | undefined
  /** `"desc"` (newest or greatest first, the default) or `"asc"`. */
  direction?: "asc" | "desc" | undefined
  /** At most so many. */
  limit?: number | undefined
}

/** Which page of the sessions. */
export interface SessionPageOptions<F extends FieldTypes = NoFields> extends SessionFilter<F> {
  /** As in a list; the greatest first. */
  order?: SessionOrder<F> | undefined
  /** `older` or `newer` of another page with the same order. */
  cursor?: string | undefined
  /** By default 50. */
  limit?: number | undefined
}

/** What sessions are ordered by: a time, or a declared field. */
export type SessionOrder<F extends FieldTypes = NoFields> = "updated" | "created" | (keyof F & string)

/** Of whatever fields: which there are is looked at. */
type QueryOptions = Omit<SessionListOptions, "where" | "order"> & {
  readonly where?: unknown
  readonly order?: string | undefined
}

/** What the options ask of all roots; of which source and projects stands beside it. @throws TypeError; StoreError `INVALID_KEY` */
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
