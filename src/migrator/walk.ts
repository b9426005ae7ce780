import { isStoreError } from "../errors.ts"
import { isExhausted, untilAdmitted } from "../exhaustion.ts"
import { type FolderNames, namesOfFolders, placePath, recordPath } from "../file/layout.ts"
import { lstatQuietly } from "../file/reader.ts"
import { COLLECTION_KINDS, type CollectionKind, type Place } from "../record/kind.ts"
import { compareText } from "../record/order.ts"
import type { UnreadableRecord, WalkProgress, WalkResult } from "../root/walk-result.ts"
import { TimeSlice } from "../time-slice.ts"
import type { PartTextIntake } from "./part-texts.ts"
import { patiently } from "./patiently.ts"
import { type Reconciler, reconcile } from "./reconcile.ts"

/** How to walk the whole store. */
export interface WalkOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined
  /** Called for each folder whose pass was not clean: its rows were changed, or could not be proven. */
  readonly onChanged?: ((place: Place) => void) | undefined
  /** Takes the tokens of parts that are read for the first time. */
  readonly texts?: PartTextIntake | undefined
  /** Lets other work run between two slices. */
  readonly onYield?: (() => Promise<void>) | undefined
}

const NO_FOLDERS: FolderNames = Object.assign([], { count: 0 })
const NAMES_AT_ONCE = 1_000
const FOLDERS_AT_ONCE = 64
const MAX_WALKS = 3

/**
 * Reconciles every folder of the store: sessions, then messages, then parts, each in the order of names. A walk that was killed and begun
 * again reads nothing twice, since stamps prove what was committed. Two processes may walk at once.
 *
 * @throws IndexFailure if the index cannot be used; StoreError `EXHAUSTED`; the signal's reason
 */
export async function walk(within: Reconciler, options: WalkOptions = {}): Promise<WalkResult> {
  for (let tries = 1; ; tries++) {
    const before = await patiently(() => within.index.openDatabase())
    const result = await within.index.batch(() => walkOnce(within, options), !options.onYield)
    // If the index was found damaged meanwhile, the new one lacks what was put before.
    if ((await patiently(() => within.index.openDatabase())) === before || tries === MAX_WALKS) return result
  }
}

async function walkOnce(within: Reconciler, options: WalkOptions): Promise<WalkResult> {
  const begun = performance.now()
  const slice = new TimeSlice(options.signal, options.onYield)
  const unreadable: UnreadableRecord[] = []
  let read = 0
  const onFault = (place: Place, fault: Error, known: boolean): void => {
    // A folder that kept changing is left to the next walk or listing.
    if (!isStoreError(fault)) return
    // A plain file among the folders is no problem: it holds no records.
    const path = fault.path ?? placePath(within.directory, place)
    if (!known && fault.code === "NOT_A_FILE" && lstatQuietly(within.fs, path)?.kind !== "link") return
    // A fault above the folders, which concerns all of a kind, is reported once.
    const isAbove = placePath(within.directory, place).startsWith(`${path}/`)
    if (isAbove && unreadable.some((told) => told.path === path)) return
    unreadable.push({ path, code: fault.code, message: fault.message })
  }
  for (const kind of COLLECTION_KINDS) {
    const folders = await untilAdmitted(() => foldersOf(within, kind, unreadable))
    let done = 0
    let batch: Place[] = []
    const reconcileBatch = async (): Promise<void> => {
      options.signal?.throwIfAborted()
      const places = batch
      let faults: Parameters<typeof onFault>[] = []
      const passes = await untilAdmitted(() => {
        faults = []
        return reconcile(within, places, {
          slice,
          patient: true,
          texts: options.texts,
          onFault: (...fault) => faults.push(fault),
        })
      })
      for (const fault of faults) onFault(...fault)
      for (const { place, clean, read: files } of passes) {
        read += files
        if (!clean) options.onChanged?.(place)
      }
      done += batch.length
      batch = []
      options.onProgress?.({ kind, done: Math.min(done, folders.count), total: folders.count, read })
    }
    for await (const folder of foldersWithRows(within, kind, folders))
      if (batch.push({ kind, folder }) === FOLDERS_AT_ONCE) await reconcileBatch()
    if (batch.length > 0) await reconcileBatch()
  }
  for await (const problem of recordedProblems(within)) unreadable.push(problem)
  const totals = await patiently(() => within.index.read(({ directories }) => directories.totals()))
  return {
    sessions: totals.session,
    messages: totals.message,
    parts: totals.part,
    read,
    unreadable,
    elapsedMs: Math.round(performance.now() - begun),
    textsMs: 0,
  }
}

function foldersOf(within: Reconciler, kind: CollectionKind, unreadable: UnreadableRecord[]): FolderNames {
  const path = placePath(within.directory, { kind, folder: "" })
  try {
    return namesOfFolders(within.fs, path)
  } catch (error) {
    if (!isStoreError(error) || isExhausted(error)) throw error
    unreadable.push({ path: error.path ?? path, code: error.code, message: error.message })
    return NO_FOLDERS
  }
}

/** Yields the folders there are and those that the index still has rows of, together in the order of `compareText`. */
export async function* foldersWithRows(
  within: Reconciler,
  kind: CollectionKind,
  folders: Iterable<string>,
): AsyncGenerator<string> {
  const there = folders[Symbol.iterator]()
  let next = there.next()
  for (let after = ""; ; ) {
    const known = await patiently(() =>
      within.index.read(({ directories }) => directories.names(kind, after, NAMES_AT_ONCE)),
    )
    for (const name of known) {
      for (; !next.done && compareText(next.value, name) < 0; next = there.next()) yield next.value
      if (!next.done && next.value === name) next = there.next()
      yield name
    }
    const last = known.at(-1)
    if (last === undefined || known.length < NAMES_AT_ONCE) break
    after = last
  }
  for (; !next.done; next = there.next()) yield next.value
}

/** Yields the unreadable records that the index knows, by kind, folder row and id. */
async function* recordedProblems(within: Reconciler): AsyncGenerator<UnreadableRecord> {
  for (const kind of COLLECTION_KINDS)
    for (let after = { directory: 0, id: "" }; ; ) {
      const page = await patiently(() =>
        within.index.read((statements) => statements[kind].allProblems(after, NAMES_AT_ONCE)),
      )
      for (const { folder, id, problem, problemMessage } of page)
        yield {
          path: recordPath(within.directory, { kind, folder }, id),
          code: problem,
          message: problemMessage,
        }
      const last = page.at(-1)
      if (!last || page.length < NAMES_AT_ONCE) break
      after = last
    }
}

/**
 * Reads every file again, whatever its stamp says, while listings go on. All stamps are cleared first, so that if the rebuild is cut
 * short, later listings and walks finish it. The full-text tables are filled anew.
 * @throws as `walk`
 */
export async function rebuild(within: Reconciler, options: WalkOptions = {}): Promise<WalkResult> {
  const slice = new TimeSlice(options.signal, options.onYield)
  await patiently(() => within.index.write(({ fullText }) => fullText.refillTitles()))
  await slice.turn()
  await patiently(() => within.index.write(({ fullText }) => fullText.emptyTexts()))
  for (const kind of COLLECTION_KINDS)
    for await (const folder of foldersWithRows(within, kind, [])) {
      await slice.pass()
      await patiently(() => within.index.write((statements) => statements.distrust({ kind, folder })))
    }
  return walk(within, options)
}
