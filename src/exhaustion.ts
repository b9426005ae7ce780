import { closeSync, openSync } from "node:fs"
import { isStoreError, StoreError, systemCode } from "./errors.ts"
import { pause } from "./time-slice.ts"

/** Codes of calls that fail because the system has no descriptors or memory left just now. They say nothing about the file. */
const FOR_THE_MOMENT: ReadonlySet<string | undefined> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
  "EAGAIN",
  "EINTR",
])

/** Waits before each retry of what the system refuses for the moment, in ms: a quarter of a second in all. */
export const ADMISSION_MS = [1, 2, 4, 8, 16, 32, 64, 128] as const

/** The hint of every `EXHAUSTED` error. */
export const EXHAUSTED_HINT = "Try again when fewer files are open, or raise the limit (`ulimit -n`)."

/** Whether the system refused a call because of something that it may have again in a moment. */
export function isForTheMoment(error: unknown): boolean {
  return FOR_THE_MOMENT.has(systemCode(error)) || isExhausted(error)
}

/** Whether an error is an `EXHAUSTED` one. Code that skips what cannot be read must not skip this. */
export function isExhausted(error: unknown): boolean {
  return isStoreError(error, "EXHAUSTED")
}

/**
 * Loads a module that was not needed before. That takes a file descriptor; if there is none, Bun claims that there is no such module.
 * @throws StoreError `EXHAUSTED`
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

/** As `loaded`, for frequent calls: the module is kept, since a repeated `import()` takes time too. */
export function loadedOnce<M>(load: () => Promise<M>): () => M | Promise<M> {
  let kept: M | undefined
  return () =>
    kept ??
    loaded(load).then((module) => {
      kept = module
      return module
    })
}

/** As `loaded`, but synchronous and without retries: a caller that can wait tries again. @throws StoreError `EXHAUSTED` */
export function required<M>(load: () => M): M {
  try {
    return load()
  } catch (cause) {
    throw notLoaded(cause)
  }
}

function notLoaded(cause: unknown): unknown {
  // The error's text is looked at too, since a descriptor may be free again by now.
  if (!isNothingLeft() && !/\bE[MN]FILE\b/.test(String(cause))) return cause
  return new StoreError("EXHAUSTED", "A part of the program cannot be loaded", {
    cause,
    hint: EXHAUSTED_HINT,
  })
}

/** Whether no file can be opened just now. Some libraries fail to open a file without saying that this is why. */
export function isNothingLeft(): boolean {
  try {
    closeSync(openSync(process.execPath, "r"))
    return false
  } catch (error) {
    return isForTheMoment(error)
  }
}

/** Errors that outlasted the retries, so that an outer `untilAdmitted` does not retry them again. */
const waitedFor = new WeakSet<Error>()

/**
 * Runs work that may fail with `EXHAUSTED`, and retries it for a quarter of a second without holding the event loop. The work must
 * change nothing. Returns a promise only if there is something to wait for.
 * @throws the last error of `work`
 */
export function untilAdmitted<T>(work: () => T): T | Promise<Awaited<T>> {
  try {
    const result = work()
    // A rejection is retried as well.
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
