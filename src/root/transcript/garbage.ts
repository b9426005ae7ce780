/** Garbage is collected after this many bytes of lines. */
const MOST_LEFT = 8 * 1024 * 1024
/** The same without texts: indexing takes a third of the time then, and a collection as long as with them. */
export const MOST_LEFT_OF_ROWS = 4 * MOST_LEFT
/** After each step of reading a container of at least this many bytes, garbage is collected. */
const LARGE = 16 * 1024 * 1024
/** A process that holds more than this, in bytes, collects less often: a collection takes as long as what is held is large. */
const MUCH = 256 * 1024 * 1024
/** Then garbage is collected when it comes to one of so many parts of what is held. */
const PARTS = 8
/** A process that holds more than this, in bytes, has other things in memory; a collection would take too long. */
const LARGEST = 1024 * 1024 * 1024

/** Hears of the garbage that reading leaves behind. */
export interface Collector {
  /** What was made of this many bytes is not needed any more. */
  left(bytes: number): void
  /** A step of reading a container of this many bytes is done. */
  stepped(bytes: number): void
}

/**
 * Collects garbage during an index run that somebody waits for. The engine alone would let the heap grow to twice what was in use a
 * moment ago: hundreds of megabytes after a large container.
 */
export class Garbage implements Collector {
  readonly #most: number
  #bytes = 0
  #due: number

  /** @param most collects after this many bytes of lines */
  constructor(most = MOST_LEFT) {
    this.#most = most
    this.#due = most
  }

  left(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < this.#due) return
    const held = process.memoryUsage.rss()
    this.#due = held > MUCH ? Math.max(this.#most, held / PARTS) : this.#most
    if (this.#bytes >= this.#due) this.#collect(held)
  }

  stepped(bytes: number): void {
    if (bytes >= LARGE) this.#collect(process.memoryUsage.rss())
  }

  #collect(held: number): void {
    this.#bytes = 0
    this.#due = this.#most
    if (held < LARGEST) Bun.gc(true)
  }
}
