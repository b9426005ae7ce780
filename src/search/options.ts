import { checkKey } from "../record/key.ts"
import { type ParsedQuery, parseQuery } from "../record/search-query.ts"
import { ofProjects, type ProjectFilter } from "../repository/of-projects.ts"
import { namesOf, ofSource, type SourceFilter } from "../repository/of-source.ts"
import { checkChoice, checkLimit, checkTime } from "../root/check.ts"
import type { Root } from "../root/root.ts"
import type { Snippet } from "./snippet.ts"

/** Where to search, and how much. */
export interface SearchOptions {
  /** Only sessions of this project, or these. */
  projectID?: ProjectFilter | undefined
  sessionID?: string | undefined
  /** Only sessions that are read from the history of this agent, or these. */
  source?: SourceFilter | undefined
  /** Only sessions that ran in this work tree. */
  directory?: string | undefined
  /** Only messages of this role. */
  role?: string | undefined
  /** Only parts of this type, or of this tool. */
  type?: string | undefined
  tool?: string | undefined
  /** Only what is from this time on, or up to it, ms since 1970. */
  since?: number | undefined
  until?: number | undefined
  /** By default `"all"`. */
  in?: "title" | "text" | "all" | undefined
  /** At most so many hits; by default 50. */
  limit?: number | undefined
  /** Go on behind this hit of an earlier search; of one that began before the store was indexed, what it had not found may be before it. */
  after?: Pick<SearchHit, "kind" | "sessionID" | "messageID" | "time"> | undefined
  /** First look at every file that changed; without it, changes by other programs are found once a sweep has seen them. */
  fresh?: boolean | undefined
  /**
   * `false`: do not wait for a store to be indexed, but end as `partial` with what is found so far, as while somebody types. By
   * default a search waits, as long as `timeout` allows; `fresh` always does.
   */
  wait?: boolean | undefined
  /** Give up after so many ms and say so; by default 10,000. A look at the files that `fresh` asks for comes before that. */
  timeout?: number | undefined
  signal?: AbortSignal | undefined
}

/** Something found; its file was looked at just before. */
export interface SearchHit extends Snippet {
  readonly kind: "title" | "text"
  readonly sessionID: string
  readonly messageID?: string
  /** The first part that matches; absent where the message itself does. */
  readonly partID?: string
  /** The session's title. */
  readonly title: string
  /** The place it was found in, and whose history that is, where a store reads several. */
  readonly origin?: string
  readonly source?: string
  /** When the message was created or the session updated, ms since 1970. */
  readonly time: number
}

/** How a search ended: whether there may be more, and why it stopped before that; `indexing` where it was not to wait. */
export interface SearchEnd {
  readonly partial: boolean
  readonly reason?: "limit" | "timeout" | "indexing"
}

const DEFAULT_LIMIT = 50
const DEFAULT_TIMEOUT_MS = 10_000

/** What is looked for, where, and until when. */
export interface Search extends Omit<SearchOptions, "in" | "limit" | "timeout" | "source" | "projectID"> {
  readonly query: ParsedQuery
  /** Project ids; `[undefined]` for all projects. */
  readonly projects: readonly (string | undefined)[]
  /** Which roots are looked into. */
  readonly isMeant: (root: Root) => boolean
  /** The agents whose sessions are meant, for roots that hold those of several. */
  readonly sources: readonly string[] | undefined
  readonly in: "title" | "text" | "all"
  readonly limit: number
  /** In ms. */
  readonly timeout: number
}

/** Checks what is asked for and fills in the defaults. @throws TypeError for options that make no sense; StoreError `INVALID_KEY` */
export function resolveSearch(text: string, options: SearchOptions): Search {
  const { projectID, ...others } = options
  const { sessionID, directory, since, until, timeout = DEFAULT_TIMEOUT_MS } = others
  checkTime("since", since)
  checkTime("until", until)
  if (Number.isNaN(timeout)) throw new TypeError("timeout must be a number of ms, not NaN")
  if (directory !== undefined && typeof directory !== "string")
    throw new TypeError(`directory must be a text, not ${String(directory)}`)
  if (sessionID !== undefined) checkKey([sessionID])
  return {
    ...others,
    projects: ofProjects(projectID),
    directory: directory?.toWellFormed(),
    isMeant: ofSource(options.source) ?? (() => true),
    sources: namesOf(options.source),
    query: parseQuery(text),
    in: checkChoice("in", options.in, ["title", "text", "all"], "all"),
    limit: checkLimit(options.limit) ?? DEFAULT_LIMIT,
    timeout,
  }
}
