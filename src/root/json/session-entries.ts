import { MISSING, positionOf } from "../../record/fields.ts"
import type { SessionEntry } from "../catalog.ts"

/** An entry. Its `value` is the number or text that it is ordered by; `null` stands for a missing one, `-Infinity`, which JSON has not. */
type Packed = readonly [value: number | string | null, id: string, project: string, body?: string]

/** Pages with fewer entries are kept as they are. */
const WORTH_PACKING = 500

/** The entries of a listing, whose order is fixed when it begins. They are compressed: a hundred thousand take one or two megabytes. */
export class SessionEntries implements Iterable<SessionEntry> {
  readonly #pages: (Uint8Array | readonly SessionEntry[])[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  push(page: readonly SessionEntry[]): void {
    this.#length += page.length
    this.#pages.push(page.length < WORTH_PACKING ? page : pack(page))
  }

  *[Symbol.iterator](): Generator<SessionEntry> {
    for (const page of this.#pages) yield* page instanceof Uint8Array ? unpack(page) : page
  }
}

function pack(page: readonly SessionEntry[]): Uint8Array {
  const packed = page.map(({ time, text, id, project, body }): Packed => {
    const value = text ?? (time === MISSING ? null : time)
    return body === undefined ? [value, id, project] : [value, id, project, body]
  })
  return Bun.zstdCompressSync(JSON.stringify(packed), { level: 1 })
}

function* unpack(page: Uint8Array): Generator<SessionEntry> {
  const packed: Packed[] = JSON.parse(Bun.zstdDecompressSync(page).toString())
  for (const [value, id, project, body] of packed)
    yield { ...positionOf(value ?? MISSING, id), project, ...(body !== undefined && { body }) }
}
