/** So much may be left before it is collected, in bytes of the lines that it was made of. */
const MOST_LEFT = 8 * 1024 * 1024
/** The same without texts: indexing so many bytes takes a third of the time then, and collecting as long as ever. */
export const MOST_LEFT_OF_ROWS = 4 * MOST_LEFT
/** A container of so many bytes is large: what a step of its reading leaves is collected before the next. */
const LARGE = 16 * 1024 * 1024
/** In a process that holds more than that, a collection would take longer than it is worth: it is not ours alone. */
const LARGEST = 256 * 1024 * 1024

/** Who is told of what reading leaves behind. */
export interface Collector {
  /** Told that what so many bytes were made into is not needed any more. */
  left(bytes: number): void
  /** Told that a step of reading a container of so many bytes is done. */
  stepped(bytes: number): void
}

/**
 * Collects what reading leaves behind while somebody waits for all of it. The engine would let the heap grow to twice of what was in use
 * a moment ago, which after a large container is hundreds of megabytes.
 */
export class Garbage implements Collector {
  readonly #most: number
  #bytes = 0

  /** @param most so many bytes may be left */
  constructor(most = MOST_LEFT) {
    this.#most = most
  }

  left(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= this.#most) this.#collect()
  }

  stepped(bytes: number): void {
    if (bytes >= LARGE) this.#collect()
  }

  #collect(): void {
    this.#bytes = 0
    if (process.memoryUsage.rss() < LARGEST) Bun.gc(true)
  }
}
