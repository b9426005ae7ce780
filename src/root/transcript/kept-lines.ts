import type { Line, Span } from "./agent.ts"

/** Kept at most of one container, in bytes of its lines: parsed they take several times as much. */
const MAX_BYTES = 2 * 1024 * 1024

/** What the lines of a container say that were just read, so that they need not be read and parsed again. Of more than fits nothing is kept. */
export class KeptLines {
  /** By file, then by each line's first byte. */
  #files: Map<number, unknown>[] = []
  #bytes = 0

  /** Those of all lines, kept or not. */
  get bytes(): number {
    return this.#bytes
  }

  put({ value, span: [file, offset, length] }: Line): void {
    this.#bytes += length
    if (this.#bytes > MAX_BYTES) {
      this.#files = []
      return
    }
    const lines = this.#files[file] ?? new Map<number, unknown>()
    lines.set(offset, value)
    this.#files[file] = lines
  }

  /** What these lines say; `undefined` where one of them is not kept. */
  values(spans: readonly Span[]): readonly unknown[] | undefined {
    const values: unknown[] = []
    for (const [file, offset] of spans) {
      const lines = this.#files[file]
      if (!lines?.has(offset)) return undefined
      values.push(lines.get(offset))
    }
    return values
  }
}
