import type { Line, Span } from "./agent.ts"
import type { Collector } from "./garbage.ts"

/** The most that is kept of one container, in bytes of its lines: parsed they take several times as much. */
const MAX_BYTES = 2 * 1024 * 1024

/** The garbage of laying out one line, in bytes: lists that grew, and temporary objects. */
const LEFT_A_LINE = 1_024

/** The parsed lines of the container that was just read, so that they need not be read and parsed twice. If they do not fit, none is kept. */
export class KeptLines {
  /** By file, then by each line's first byte. */
  #files: Map<number, unknown>[] = []
  #bytes = 0
  readonly #collector: Collector

  /** @param collector hears of everything that is read */
  constructor(collector: Collector) {
    this.#collector = collector
  }

  /** The bytes of all lines, kept or not. */
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

  /** All lines were read; they are laid out next. */
  end(): void {
    this.#collector.stepped(this.#bytes)
  }

  /** This many more lines were laid out. */
  laid(lines: number): void {
    this.#collector.left(LEFT_A_LINE * lines)
  }

  /** The values of these lines; `undefined` where one of them is not kept. */
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
