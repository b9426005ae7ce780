import type { StoreError } from "../errors.ts"
import { recordPath } from "../file/layout.ts"
import { TimeSlice } from "../file/time-slice.ts"
import { type JsonObject, sessionFields } from "../record/extract.ts"
import { checkKey } from "../record/key.ts"
import { placesOf, readBody } from "../repository/bodies.ts"
import type { Catalog } from "../repository/catalog.ts"
import type { RecordFiles } from "../repository/file-catalog.ts"
import { findSharedMessages, type SharedMessages } from "../repository/shared-messages.ts"
import { type Extent, measure, sessionFiles } from "./belongings.ts"
import type { Manifest } from "./entry.ts"
import { type OrphanOwner, orphanOwners } from "./orphan-owners.ts"
import { checkRules, countParentless, type Judged, judge, type Reason, type RetentionRules } from "./rules.ts"
import type { Doomed, TrashFolder } from "./trash.ts"

/** Which sessions go, and how. */
export interface PruneOptions extends RetentionRules {
  /** Change nothing; yield what would go. */
  dryRun?: boolean | undefined
  /** Delete for good instead of moving to the trash. */
  purge?: boolean | undefined
  /** Of what the rules name only these ids, as when a person has agreed to a list of them. */
  only?: ReadonlySet<string> | undefined
  /** Ends it before the next session. */
  signal?: AbortSignal | undefined
}

/** One session, or the remains of one, that a prune is about. */
export interface Pruned extends Omit<Manifest, "removed"> {
  readonly reason: Reason
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
}

/** What was chosen, before it is measured. */
type Candidate = Omit<Manifest, "removed" | "files" | "bytes"> & { readonly reason: Reason }

/** Sessions whose flushes are shared. */
const AT_ONCE = 32

/**
 * Removes what the rules name, the longest unused first, orphans last, and yields each with its files and bytes. Everything is
 * chosen before the first is removed; what changes after that stays. The parts of a message that lies in several sessions go with
 * the last of them.
 *
 * A session whose own file cannot be read has no known age: no rule names it.
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
    if (dryRun) for (const pruned of group) yield add({ ...pruned, outcome: "planned" })
    else for (const pruned of await remove(files, trash, group, shared, options)) yield add(pruned)
  signal?.throwIfAborted()
  return result
}

type Planned = Omit<Pruned, "outcome" | "error">

async function choose(
  files: RecordFiles,
  catalog: Catalog,
  options: PruneOptions,
  slice: TimeSlice,
): Promise<{ candidates: AsyncIterable<Candidate> | Iterable<Candidate>; parentless: number }> {
  const { projectID, orphans, olderThan, keep, maxBytes } = options
  if (olderThan === undefined && keep === undefined && maxBytes === undefined)
    return { candidates: orphanCandidates(files, slice), parentless: 0 }
  const sessions = await allSessions(files, catalog, slice, options.signal)
  const doomed = await judge(
    sessions,
    options,
    ({ project }) => projectID === undefined || project === projectID,
    async ({ id }) => (await measure(files, { kind: "session", id }, slice)).bytes,
    Date.now(),
  )
  const chosen = [...doomed]
    .reverse()
    .map(
      ([{ id, project, title, updated }, reason]): Candidate => ({
        kind: "session",
        id,
        project,
        title,
        updated,
        reason,
      }),
    )
    .sort((a, b) => a.updated - b.updated)
  const parentless = countParentless(sessions, doomed)
  if (!orphans) return { candidates: chosen, parentless }
  return { candidates: concatenated(chosen, orphanCandidates(files, slice)), parentless }
}

async function* concatenated<T>(...sources: (Iterable<T> | AsyncIterable<T>)[]): AsyncGenerator<T> {
  for (const source of sources) yield* source
}

async function* orphanCandidates(files: RecordFiles, slice: TimeSlice): AsyncGenerator<Candidate> {
  // All are found before the first is moved: parts whose message went just now are not yet among them.
  const owners: OrphanOwner[] = await Array.fromAsync(orphanOwners(files, slice))
  for (const owner of owners) yield { ...owner, project: null, title: null, updated: 0, reason: "orphan" }
}

/** What the rules need of every session, newest first: not the bodies, which are read one by one. */
async function allSessions(
  files: RecordFiles,
  catalog: Catalog,
  slice: TimeSlice,
  signal?: AbortSignal,
): Promise<Session[]> {
  const query = { archived: "include", order: "updated", direction: "desc" } as const
  const sessions: Session[] = []
  for (const { id, project } of await catalog.sessions(query, { signal })) {
    await slice.pass()
    const body = await readBody(files, { kind: "session", folder: project }, id)
    if (!body) continue
    const { parentID, title } = sessionFields(body)
    sessions.push({ id, project, updated: lastUse(files, project, id, body), parentID, title })
  }
  return sessions.sort((a, b) => b.updated - a.updated)
}

async function* measured(
  files: RecordFiles,
  candidates: Iterable<Candidate> | AsyncIterable<Candidate>,
  shared: SharedMessages,
  { only, olderThan }: PruneOptions,
  slice: TimeSlice,
): AsyncGenerator<Planned> {
  const gone = new Set<string>()
  const latest = olderThan === undefined ? Number.POSITIVE_INFINITY : Date.now() - olderThan
  for await (const candidate of candidates) {
    if (only && !only.has(candidate.id)) continue
    const { id, kind } = candidate
    const stays = (message: string): boolean => shared.isHeldBeside(id, message, gone)
    const { files: count, bytes, youngest }: Extent = await measure(files, candidate, slice, stays)
    if (kind !== "session" && (count === 0 || youngest >= latest)) continue
    // What goes later finds this one's messages gone.
    if (kind !== "parts") gone.add(id)
    yield { ...candidate, updated: kind === "session" ? candidate.updated : youngest, files: count, bytes }
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
  { purge, signal }: PruneOptions,
): Promise<Pruned[]> {
  signal?.throwIfAborted()
  const doomed = group.map((planned): Doomed => {
    const { reason: _, ...manifest } = planned
    return { manifest, isStill: () => isStill(files, planned) }
  })
  const pruned: Pruned[] = []
  for (const [at, { entry, result }] of (await trash.put(doomed, shared, signal)).entries()) {
    const planned = group[at]
    if (!planned) throw new Error("The trash answers for each of the group")
    if (result.outcome === "trashed" && purge) {
      await trash.purge({ ...entry, state: "trashed" })
      pruned.push({ ...planned, outcome: "purged" })
    } else if (result.outcome !== "changed" || !signal?.aborted) pruned.push({ ...planned, ...result })
  }
  return pruned
}

/** Whether what was chosen is still so: a session that was gone on with, or an orphan whose parent has come, stays. */
async function isStill(files: RecordFiles, { kind, id, updated }: Planned): Promise<boolean> {
  if (kind === "parts") return placesOf(files, "message", id).length === 0
  const copies = sessionFiles(files, id)
  if (kind === "remains") return copies.length === 0
  let newest = Number.NEGATIVE_INFINITY
  for (const [, folder = ""] of copies) {
    const body = await readBody(files, { kind: "session", folder }, id)
    if (body) newest = Math.max(newest, lastUse(files, folder, id, body))
  }
  return newest === updated
}

/** When a session was last gone on with, ms: its `time.updated`, or where it has none its file's modification time. */
function lastUse(files: RecordFiles, folder: string, id: string, body: JsonObject): number {
  const { updated } = sessionFields(body)
  if (updated > 0) return updated
  const stat = files.fs.lstat(recordPath(files.directory, { kind: "session", folder }, id))
  return stat ? Number(stat.mtimeNs / 1_000_000n) : Date.now()
}
