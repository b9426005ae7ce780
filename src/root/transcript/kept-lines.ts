import type { Line, Span } from "./agent.ts"
import type { Collector } from "./garbage.ts"

/** Kept at most of one container, in bytes of its lines: parsed they take several times as much. */
const MAX_BYTES = 2 * 1024 * 1024

/** What laying out one line leaves behind, in bytes: lists that grow, and objects of a moment. */
const LEFT_A_LINE = 1_024

/** What the lines of a container say that were just read, so that they need not be read and parsed again. Of more than fits nothing is kept. */
export class KeptLines {
  /** By file, then by each line's first byte. */
  #files: Map<number, unknown>[] = []
  #bytes = 0
  readonly #collector: Collector

  /** @param collector told of all that is read */
  constructor(collector: Collector) {
    this.#collector = collector
  }

  /** Those of all lines, kept or not. */
  get bytes(): number {
    return this.#bytes
  }

  put({ value, span: [file, offset, length] }: Line): void {
    this.#bytes += length
    this.#collector.left(length)
    if (this.#bytes > MAX_BYTES) {
      this.#files = []
      return
    }
    const lines = this.#files[file] ?? new Map<number, unknown>()
    lines.set(offset, value)
    this.#files[file] = lines
  }

  /** Told that all lines were put, before what they say is laid out. */
  end(): void {
    this.#collector.stepped(this.#bytes)
  }

  /** Told that so many lines were laid out. */
  laid(lines: number): void {
    this.#collector.left(LEFT_A_LINE * lines)
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
