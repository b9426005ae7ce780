import { isDiskFull, isStoreError, type StoreError } from "../errors.ts"
import { isExhausted, untilAdmitted } from "../exhaustion.ts"
import { sessionFields } from "../record/extract.ts"
import { checkKey } from "../record/key.ts"
import type { Catalog } from "../root/catalog.ts"
import { placesOf, readBody } from "../root/json/bodies.ts"
import type { RecordFiles } from "../root/json/file-catalog.ts"
import { findSharedMessages, type SharedMessages } from "../root/json/shared-messages.ts"
import { TimeSlice } from "../time-slice.ts"
import { type Extent, measure, sessionFiles } from "./belongings.ts"
import type { Manifest } from "./entry.ts"
import { lookAt, type Seen } from "./last-use.ts"
import { checkReachable, orphanOwners } from "./orphan-owners.ts"
import { checkRules, countParentless, type Judged, judge, type Reason, type RetentionRules } from "./rules.ts"
import type { Doomed, TrashFolder } from "./trash.ts"

/** Which sessions go, and how. */
export interface PruneOptions extends RetentionRules {
  /** Change nothing; yield what would go. */
  dryRun?: boolean | undefined
  /** Delete for good instead of moving to the trash. */
  purge?: boolean | undefined
  /**
   * Of what the rules name only these ids, as when a person has agreed to a list of them. A map from each id to the `version` that a
   * dry run told of it also leaves what was changed since then.
   */
  only?: ReadonlySet<string> | ReadonlyMap<string, string> | undefined
  /** Ends it before the next session. */
  signal?: AbortSignal | undefined
}

/** One session, or the remains of one, that a prune is about. */
export interface Pruned extends Omit<Manifest, "removed"> {
  readonly reason: Reason
  /** An opaque text that differs whenever a file of it does; for `only`. */
  readonly version: string
  /**
   * What became of it: `planned` in a dry run; `trashed`; `purged`; `changed`, left since it was changed after it was chosen;
   * `failed`, left since something of it could not be moved.
   */
  readonly outcome: "planned" | "trashed" | "purged" | "changed" | "failed"
  readonly error?: StoreError
}

/** What a prune came to; counts what went, or in a dry run what would. */
export interface PruneResult {
  readonly sessions: number
  /** Owners of orphans: sessions and messages that have no file. */
  readonly orphans: number
  readonly files: number
  readonly bytes: number
  /** Sessions that stay without their parent. */
  readonly parentless: number
  /** What the rules named and that stays: changed meanwhile, or failed. */
  readonly left: number
}

interface Session extends Judged {
  readonly project: string
  readonly title: string | null
  /** Absent where no rule asked for it. */
  readonly seen: Seen | undefined
}

/** What was chosen, before it is measured; of sessions with the version they were chosen in. */
interface Candidate extends Omit<Manifest, "removed" | "files" | "bytes"> {
  readonly reason: Reason
  readonly version?: string
}

/** What is to go. */
interface Planned {
  readonly told: Omit<Pruned, "outcome" | "error">
  readonly extent: Extent
}

/** Sessions whose flushes are shared. */
const AT_ONCE = 32

/**
 * Removes what the rules name, the longest unused first, orphans last, and yields each with its files and bytes. Everything is
 * chosen before the first is removed; what changes after that stays. The parts of a message that lies in several sessions go with
 * the last of them.
 *
 * A session whose own file cannot be read has no known age, and of one whose messages cannot be looked at nobody can say whether it
 * is in use: no rule names them.
 * @throws TypeError for rules that make no sense; StoreError `READ_ONLY`, `INVALID_KEY`, `UNREADABLE`, `LOCKED`,
 * `WRITE_FAILED`, `NOT_DURABLE`; the signal's reason
 */
export async function* prune(
  files: RecordFiles,
  catalog: Catalog,
  trash: TrashFolder,
  options: PruneOptions,
): AsyncGenerator<Pruned, PruneResult> {
  checkRules(options)
  if (options.projectID !== undefined) checkKey([options.projectID])
  const { signal, dryRun = false } = options
  if (!dryRun) await trash.finish(signal)
  const slice = new TimeSlice(signal)
  const { candidates, parentless } = await choose(files, catalog, options, slice)
  const result = { sessions: 0, orphans: 0, files: 0, bytes: 0, parentless, left: 0 }
  const add = (pruned: Pruned): Pruned => {
    if (pruned.outcome === "changed" || pruned.outcome === "failed") result.left++
    else {
      if (pruned.kind === "session") result.sessions++
      else result.orphans++
      result.files += pruned.files
      result.bytes += pruned.bytes
    }
    return pruned
  }
  const shared = await findSharedMessages(files, slice)
  const plan = measured(files, candidates, shared, options, slice)
  for await (const group of inGroups(plan, dryRun ? 1 : AT_ONCE))
    if (dryRun) for (const { told } of group) yield add({ ...told, outcome: "planned" })
    else for (const pruned of await remove(files, trash, group, shared, options)) yield add(pruned)
  signal?.throwIfAborted()
  return result
}

async function choose(
  files: RecordFiles,
  catalog: Catalog,
  options: PruneOptions,
  slice: TimeSlice,
): Promise<{ candidates: readonly Candidate[]; parentless: number }> {
  const { orphans, olderThan, keep, maxBytes } = options
  // All are found before the first session is moved, with what belongs to it.
  const owners = orphans ? await Array.fromAsync(orphanOwners(files, slice, orphans === "force")) : []
  const left = owners.map(
    (owner): Candidate => ({ ...owner, project: null, title: null, updated: 0, reason: "orphan" }),
  )
  if (olderThan === undefined && keep === undefined && maxBytes === undefined)
    return { candidates: left, parentless: 0 }
  checkReachable(files)
  const now = Date.now()
  const sessions = await allSessions(files, catalog, options, now, slice)
  const doomed = judge(sessions, options, (session) => inScope(session, options), now)
  const chosen: Candidate[] = []
  for (const [session, reason] of [...doomed].reverse()) {
    const { id, project, title } = session
    // One that goes with its parent was not looked at before.
    const seen = session.seen ?? (await look(files, id, slice))
    if (!seen) doomed.delete(session)
    else
      chosen.push({ kind: "session", id, project, title, updated: seen.used, reason, version: seen.version })
  }
  chosen.sort((a, b) => a.updated - b.updated)
  const parentless = countParentless(sessions, doomed)
  return { candidates: [...chosen, ...left], parentless }
}

function inScope({ project }: Pick<Session, "project">, { projectID }: PruneOptions): boolean {
  return projectID === undefined || project === projectID
}

/** What the rules need of every session, last used first: not the bodies, which are read one by one. */
async function allSessions(
  files: RecordFiles,
  catalog: Catalog,
  options: PruneOptions,
  now: number,
  slice: TimeSlice,
): Promise<Session[]> {
  const query = { archived: "include", order: "updated", direction: "desc" } as const
  const { olderThan = 0, keep, maxBytes, signal } = options
  // Only a rule that ranks has to know how each was used; by age alone one whose own time is young has been.
  const latest = keep === undefined && maxBytes === undefined ? now - olderThan : Number.POSITIVE_INFINITY
  const sessions: Session[] = []
  for (const { id, project } of await catalog.sessions(query, { signal })) {
    await slice.pass()
    const body = await readBody(files, { kind: "session", folder: project }, id)
    if (!body) continue
    const { parentID, title, updated } = sessionFields(body)
    const wanted = inScope({ project }, options) && updated < latest
    const seen = wanted ? await look(files, id, slice) : undefined
    if (wanted && !seen) continue
    sessions.push({
      id,
      project,
      parentID,
      title,
      seen,
      used: seen?.used ?? updated,
      bytes: seen?.bytes ?? 0,
    })
  }
  return sessions.sort((a, b) => b.used - a.used)
}

/** Looks at a session; one that cannot be looked at is reported, and nobody can say whether it is in use. */
async function look(files: RecordFiles, id: string, slice: TimeSlice): Promise<Seen | undefined> {
  try {
    return await untilAdmitted(() => lookAt(files, id, slice))
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    const { path = files.directory, code, message } = error
    files.problems.report({ path, code, message })
    return undefined
  }
}

async function* measured(
  files: RecordFiles,
  candidates: readonly Candidate[],
  shared: SharedMessages,
  { only, olderThan }: PruneOptions,
  slice: TimeSlice,
): AsyncGenerator<Planned> {
  const gone = new Set<string>()
  const latest = olderThan === undefined ? Number.POSITIVE_INFINITY : Date.now() - olderThan
  for (const candidate of candidates) {
    if (only && !only.has(candidate.id)) continue
    const agreed = only && "get" in only ? only.get(candidate.id) : undefined
    const { id, kind } = candidate
    const stays = (message: string): boolean => shared.isHeldBeside(id, message, gone)
    const extent = await measure(files, candidate, slice, stays)
    const { files: count, bytes, youngest } = extent
    if (kind !== "session" && (count === 0 || youngest >= latest)) continue
    // What goes later finds this one's messages gone.
    if (kind !== "parts") gone.add(id)
    const version = agreed ?? candidate.version ?? extent.version
    const updated = kind === "session" ? candidate.updated : youngest
    yield { told: { ...candidate, updated, files: count, bytes, version }, extent }
  }
}

async function* inGroups<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = []
  for await (const item of items)
    if (group.push(item) === size) {
      yield group
      group = []
    }
  if (group.length > 0) yield group
}

async function remove(
  files: RecordFiles,
  trash: TrashFolder,
  group: readonly Planned[],
  shared: SharedMessages,
  options: PruneOptions,
): Promise<Pruned[]> {
  const { purge, signal } = options
  signal?.throwIfAborted()
  const doomed = group.map(({ told }): Doomed => {
    const { reason: _, version: __, ...manifest } = told
    return { manifest, isStill: () => isStill(files, told) }
  })
  const pruned: Pruned[] = []
  const results = await intoTrash(trash, doomed, shared, options)
  for (const [at, planned] of group.entries()) {
    const { told } = planned
    const { entry, result } = results[at] ?? {}
    const one = doomed[at]
    if (!one) throw new Error("There is one for each of the group")
    const isFull = !result || (result.outcome === "failed" && isDiskFull(result.error))
    if (purge && isFull) {
      if (!signal?.aborted) pruned.push({ ...told, ...(await inPlace(trash, one, shared)) })
    } else if (purge && entry && result?.outcome === "trashed") {
      const gone = await trash.purge(entry, { unless: (held) => hasNews(files, planned, held) })
      pruned.push({ ...told, outcome: gone ? "purged" : "changed" })
    } else if (result && (result.outcome !== "changed" || !signal?.aborted))
      pruned.push({ ...told, ...result })
  }
  return pruned
}

/** Puts a group into the trash; none of it where that is on the way out for good and the disk is too full for it. */
async function intoTrash(
  trash: TrashFolder,
  group: readonly Doomed[],
  shared: SharedMessages,
  { purge, signal }: PruneOptions,
): Promise<Awaited<ReturnType<TrashFolder["put"]>>> {
  try {
    return await trash.put(group, shared, signal)
  } catch (error) {
    if (!purge || !isDiskFull(error)) throw error
    return []
  }
}

async function inPlace(
  trash: TrashFolder,
  doomed: Doomed,
  shared: SharedMessages,
): Promise<Pick<Pruned, "outcome" | "error">> {
  try {
    return { outcome: (await trash.destroyInPlace(doomed, shared)) ? "purged" : "changed" }
  } catch (error) {
    if (!isStoreError(error)) throw error
    return { outcome: "failed", error }
  }
}

/** Whether what was chosen is still so: a session that was gone on with, or an orphan whose parent has come, stays. */
async function isStill(files: RecordFiles, told: Planned["told"]): Promise<boolean> {
  const { kind, id, version } = told
  if (kind === "parts" && placesOf(files, "message", id).length > 0) return false
  if (kind === "remains" && sessionFiles(files, id).length > 0) return false
  return (await measure(files, told, new TimeSlice())).version === version
}

/** Whether another program wrote to it while it was being moved: into what went, or behind it. */
async function hasNews(files: RecordFiles, { told, extent }: Planned, held: Extent): Promise<boolean> {
  if (held.files > extent.files || held.bytes > extent.bytes || held.youngest > extent.youngest) return true
  return (await measure(files, told, new TimeSlice())).files > 0
}
