import { StoreError } from "../errors.ts"
import { MISSING, positionOf, valueAt } from "../record/fields.ts"
import type { Position } from "../record/order.ts"
import type { Range } from "../root/catalog.ts"

/** A page of a listing, newest first, with opaque cursors to the older and newer pages, if there are any. */
export interface Page<T> {
  readonly items: T[]
  readonly older: string | undefined
  readonly newer: string | undefined
}

interface Cursor {
  readonly listing: string
  readonly towards: "older" | "newer"
  readonly from: Position
}

const VERSION = 1
/** Names of listings by a declared field, whose values may be texts or missing. */
const BY_FIELD = /^session\/(?:text|number)\//

function encode({ listing, towards, from }: Cursor): string {
  const value = valueAt(from)
  // JSON has no infinite numbers.
  const fields = [VERSION, listing, towards, value === MISSING ? null : value, from.id]
  return Buffer.from(JSON.stringify(fields)).toString("base64url")
}

function invalid(cause?: unknown): StoreError {
  return new StoreError("INVALID_CURSOR", "The cursor is not one that this listing gave", {
    cause,
    hint: "Pass `older` or `newer` of a page back unchanged, with the same order.",
  })
}

function decode(text: string, listing: string): Cursor {
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.from(text, "base64url").toString("utf8"))
  } catch (cause) {
    throw invalid(cause)
  }
  if (!Array.isArray(fields) || fields.length !== 5) throw invalid()
  const [version, of, towards, value, id]: unknown[] = fields
  if (version !== VERSION || of !== listing) throw invalid()
  if ((towards !== "older" && towards !== "newer") || typeof id !== "string") throw invalid()
  const isOfField = BY_FIELD.test(listing) && (value === null || typeof value === "string")
  if (typeof value !== "number" && !isOfField) throw invalid()
  return { listing, towards, from: positionOf(typeof value === "object" ? MISSING : value, id) }
}

/** Fetches the entries after a position in a direction, as a catalog does. */
export type Fetch<Entry extends Position> = (
  direction: "asc" | "desc",
  range: Pick<Range, "after" | "limit" | "moment">,
) => Promise<Iterable<Entry>>

/** A fetch that also reads each entry. It gives only readable entries, and as many of them as were asked for. */
export function fetchReadable<Entry extends Position, Body>(
  fetch: Fetch<Entry>,
  read: (entry: Entry) => Promise<Body | undefined> | Body,
): Fetch<ReadEntry<Entry, Body>> {
  return async (direction, range) => {
    const found: ReadEntry<Entry, Body>[] = []
    for (let { after } = range; ; ) {
      const limit = range.limit === undefined ? undefined : range.limit - found.length
      const entries = [...(await fetch(direction, { ...range, after, limit }))]
      const reading = entries.map(read)
      // If all bodies are at hand, nothing is awaited: a promise for each entry would take longer than the rest of a page.
      const bodies = reading.some((body) => body instanceof Promise)
        ? await Promise.all(reading)
        : (reading as Body[])
      for (const [at, entry] of entries.entries()) {
        const body = bodies[at]
        if (body !== undefined) found.push({ ...entry, read: body })
      }
      if (limit === undefined || entries.length < limit || found.length === range.limit) return found
      after = entries.at(-1)
    }
  }
}

/** An entry of a listing, with the body that was read. */
export type ReadEntry<Entry, Body> = Entry & { readonly read: Body }

/**
 * Cuts a page out of a listing by keyset: a cursor names a position, not a count, so inserts and deletes elsewhere neither repeat nor
 * drop entries.
 * @param listing names the listing and its order; a cursor from another listing is refused
 * @param oldest instead of a cursor: the entry that the page begins with, as its oldest
 * @throws StoreError `INVALID_CURSOR`
 */
export async function cutPage<Entry extends Position>(
  listing: string,
  cursor: string | undefined,
  limit: number,
  fetch: Fetch<Entry>,
  oldest?: Entry,
): Promise<Page<Entry>> {
  if (oldest && cursor !== undefined)
    throw new TypeError("A page begins at a cursor or at a record, not at both")
  const start = oldest
    ? { towards: "newer", from: oldest }
    : cursor === undefined
      ? undefined
      : decode(cursor, listing)
  const direction = start?.towards === "newer" ? "asc" : "desc"
  const given = oldest ? [oldest] : []
  // Shared, so that asking whether there is more on the other side does not cost a second look at every file.
  const moment = {}
  const wanted = { after: start?.from, limit: limit + 1 - given.length, moment }
  const found = [...given, ...(await fetch(direction, wanted))]
  const more = found.length > limit
  const items = found.slice(0, limit)
  if (direction === "asc") items.reverse()
  const newest = items[0] ?? start?.from
  const last = items.at(-1) ?? start?.from
  const anyBehind = async (towards: "asc" | "desc", from: Position): Promise<boolean> =>
    [...(await fetch(towards, { after: from, limit: 1, moment }))].length > 0
  const hasOlder = direction === "desc" ? more : last !== undefined && (await anyBehind("desc", last))
  const hasNewer =
    direction === "asc"
      ? more
      : start !== undefined && newest !== undefined && (await anyBehind("asc", newest))
  return {
    items,
    older: hasOlder && last ? encode({ listing, towards: "older", from: last }) : undefined,
    newer: hasNewer && newest ? encode({ listing, towards: "newer", from: newest }) : undefined,
  }
}
