import { checkLimit } from "../root/check.ts"

/** Which sessions are to go; where several rules are given, a session goes that any of them asks for. */
export interface RetentionRules {
  /** Sessions that were last used longer ago than this, in ms: by `time.updated`, their messages' times and their files'. */
  olderThan?: number | undefined
  /** All but so many of the newest, by their last use. */
  keep?: number | undefined
  /** All but the newest whose files take so many bytes together; the first that does not fit goes, and all before it. */
  maxBytes?: number | undefined
  /**
   * Records whose session or message has no file; with `olderThan`, only those whose files are all older than that. Where there is no
   * session at all, or no message, their disk may not be there: only `"force"` takes what belongs to them.
   */
  orphans?: boolean | "force" | undefined
  /** Only sessions of this project; `keep` and `maxBytes` count these alone. Orphans belong to none. */
  projectID?: string | undefined
  /** Take the children of what goes along, and theirs, whatever the rules say of them. Default: each is judged for itself. */
  children?: boolean | undefined
}

/** Why something goes: a rule, or its parent does. */
export type Reason = "age" | "count" | "size" | "orphan" | "parent"

/** A session as the rules see it. */
export interface Judged {
  readonly id: string
  /** When it was last used, ms. */
  readonly used: number
  /** What its files take. */
  readonly bytes: number
  readonly parentID: string | null
}

/** Checks the rules. @throws TypeError where there is none, or one makes no sense */
export function checkRules(rules: RetentionRules): void {
  const { olderThan, keep, maxBytes, orphans } = rules
  if (olderThan !== undefined && !(olderThan >= 0))
    throw new TypeError(`olderThan must be a number of ms from 0, not ${olderThan}`)
  if (maxBytes !== undefined && !(maxBytes >= 0))
    throw new TypeError(`maxBytes must be a number from 0, not ${maxBytes}`)
  checkLimit(keep)
  if (orphans !== undefined && typeof orphans !== "boolean" && orphans !== "force")
    throw new TypeError(`orphans must be true, false or "force", not ${String(orphans)}`)
  if (olderThan === undefined && keep === undefined && maxBytes === undefined && !orphans)
    throw new TypeError("prune needs a rule: olderThan, keep, maxBytes or orphans")
}

/**
 * The sessions that are to go, and why.
 * @param sessions newest first, all of them
 * @param inScope whether a session is of the project that is asked about
 */
export function judge<S extends Judged>(
  sessions: readonly S[],
  rules: RetentionRules,
  inScope: (session: S) => boolean,
  now: number,
): Map<S, Reason> {
  const doomed = new Map<S, Reason>()
  let kept = 0
  let bytes = 0
  for (const session of sessions) {
    if (!inScope(session)) continue
    bytes += session.bytes
    if (rules.olderThan !== undefined && session.used < now - rules.olderThan) doomed.set(session, "age")
    else if (rules.keep !== undefined && kept >= rules.keep) doomed.set(session, "count")
    else if (rules.maxBytes !== undefined && bytes > rules.maxBytes) doomed.set(session, "size")
    kept++
  }
  if (rules.children) addChildren(sessions, doomed)
  return doomed
}

/** How many sessions stay whose parent goes. */
export function countParentless(sessions: readonly Judged[], doomed: ReadonlyMap<Judged, Reason>): number {
  const gone = new Set([...doomed.keys()].map(({ id }) => id))
  return sessions.filter((session) => !doomed.has(session) && gone.has(session.parentID ?? "")).length
}

function addChildren<S extends Judged>(sessions: readonly S[], doomed: Map<S, Reason>): void {
  const children = Map.groupBy(sessions, ({ parentID }) => parentID)
  const waiting = [...doomed.keys()]
  for (let parent = waiting.pop(); parent; parent = waiting.pop())
    for (const child of children.get(parent.id) ?? [])
      if (!doomed.has(child)) {
        doomed.set(child, "parent")
        waiting.push(child)
      }
}
