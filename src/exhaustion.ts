import { closeSync, openSync } from "node:fs"
import { isStoreError, StoreError, systemCode } from "./errors.ts"
import { pause } from "./time-slice.ts"

/** What a system call fails with where it has nothing left just now: no file descriptors, no memory. It says nothing of the file. */
const FOR_THE_MOMENT: ReadonlySet<string | undefined> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
  "EAGAIN",
  "EINTR",
])

/** How long to wait between two tries at what the system refuses for the moment, in ms: a quarter of a second in all. */
export const ADMISSION_MS = [1, 2, 4, 8, 16, 32, 64, 128] as const

/** What a person can do about it. */
export const EXHAUSTED_HINT = "Try again when fewer files are open, or raise the limit (`ulimit -n`)."

/** Tells whether the system refused a call for want of something that it may have again in a moment. */
export function isForTheMoment(error: unknown): boolean {
  return FOR_THE_MOMENT.has(systemCode(error)) || isExhausted(error)
}

/** Tells whether it is an error of that kind. Whoever passes over what cannot be read must not pass over this. */
export function isExhausted(error: unknown): boolean {
  return isStoreError(error, "EXHAUSTED")
}

/**
 * Loads a part of the program that was not needed before, which takes a file descriptor too. Where there is none Bun says that there is
 * no such module. @throws StoreError `EXHAUSTED`
 */
export async function loaded<M>(load: () => Promise<M>): Promise<M> {
  return await untilAdmitted(async () => {
    try {
      return await load()
    } catch (cause) {
      throw notLoaded(cause)
    }
  })
}

/** As `loaded`, for what is asked for again and again: an import takes its time also of what was imported before. */
export function loadedOnce<M>(load: () => Promise<M>): () => M | Promise<M> {
  let kept: M | undefined
  return () =>
    kept ??
    loaded(load).then((module) => {
      kept = module
      return module
    })
}

/** As `loaded`, for what is needed at once: whoever can wait for it tries again. @throws StoreError `EXHAUSTED` */
export function required<M>(load: () => M): M {
  try {
    return load()
  } catch (cause) {
    throw notLoaded(cause)
  }
}

function notLoaded(cause: unknown): unknown {
  // By now there may be one again.
  if (!isNothingLeft() && !/\bE[MN]FILE\b/.test(String(cause))) return cause
  return new StoreError("EXHAUSTED", "A part of the program cannot be loaded", {
    cause,
    hint: EXHAUSTED_HINT,
  })
}

/** Tells whether no file can be opened just now, for want of what that takes: not everybody says so who cannot open one. */
export function isNothingLeft(): boolean {
  try {
    closeSync(openSync(process.execPath, "r"))
    return false
  } catch (error) {
    return isForTheMoment(error)
  }
}

/** Errors that were waited for already: what is around need not wait for them again. */
const waitedFor = new WeakSet<Error>()

/**
 * Does what may fail with `EXHAUSTED`, and must change nothing, again and again for a quarter of a second, without holding the event
 * loop. There is a promise only where there is something to wait for.
 * @throws what it throws at last
 */
export function untilAdmitted<T>(work: () => T): T | Promise<Awaited<T>> {
  try {
    const result = work()
    // What fails later is tried again as well.
    return result instanceof Promise ? result.catch((error) => tryAgain(work, error)) : result
  } catch (error) {
    return tryAgain(work, error)
  }
}

async function tryAgain<T>(work: () => T, first: unknown): Promise<Awaited<T>> {
  let failure = first
  for (const wait of ADMISSION_MS) {
    if (!(failure instanceof StoreError) || !isExhausted(failure) || waitedFor.has(failure)) throw failure
    await pause(wait)
    try {
      return await work()
    } catch (error) {
      failure = error
    }
  }
  if (failure instanceof StoreError && isExhausted(failure)) waitedFor.add(failure)
  throw failure
}
