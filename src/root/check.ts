import { checkKey, type Key } from "../record/key.ts"

/** Largest page a caller can ask for. */
const MAX_LIMIT = 10_000
export const DEFAULT_PAGE = 50

/** Checks that an option has one of its possible values; `otherwise` is the default. @throws TypeError */
export function checkChoice<T extends string>(
  name: string,
  value: T | undefined,
  choices: readonly T[],
  otherwise: T,
): T {
  if (value === undefined) return otherwise
  if (!choices.includes(value))
    throw new TypeError(`${name} must be one of ${choices.join(", ")}, not ${JSON.stringify(value)}`)
  return value
}

/** Checks a time in ms. @throws TypeError */
export function checkTime(name: string, time: number | undefined): void {
  if (time !== undefined && !Number.isFinite(time))
    throw new TypeError(`${name} must be a time in ms, not ${time}`)
}

/** Checks a limit; `undefined` means no limit. @throws TypeError */
export function checkLimit(limit: number | undefined): number | undefined {
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0))
    throw new TypeError(`limit must be a whole number from 0, not ${limit}`)
  return limit
}

/** Checks the size of a page. @throws TypeError */
export function checkPageSize(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_PAGE
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    throw new TypeError(`limit must be a whole number from 1 to ${MAX_LIMIT}, not ${limit}`)
  return limit
}

/** A record's id, or its whole key. */
export type IdOrKey = string | Key

/**
 * Checks an id or a whole key of one kind; a key gives the folder too.
 * @throws StoreError `INVALID_KEY`; TypeError for a key of another kind
 */
export function checkIdOrKey(kind: string, idOrKey: IdOrKey): { id: string; folder: string | undefined } {
  if (typeof idOrKey === "string") {
    checkKey([idOrKey])
    return { id: idOrKey, folder: undefined }
  }
  checkKey(idOrKey)
  const [of, folder, id] = idOrKey
  if (of !== kind || idOrKey.length !== 3 || folder === undefined || id === undefined)
    throw new TypeError(`A ${kind}'s key is ["${kind}", folder, id], not ${JSON.stringify(idOrKey)}`)
  return { id, folder }
}
