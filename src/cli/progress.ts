/** How far some work has come; a new `kind` begins a new bar. */
export interface Progress {
  readonly kind?: string
  readonly done: number
  readonly total: number
  /** What else the format shows. */
  readonly source?: string
  readonly unit?: string
}

/**
 * A progress bar on standard error; nothing at all where that is no terminal.
 * @param format as cli-progress has it: `{bar}`, `{value}`, `{total}` and the fields of the progress
 */
export function progressBar(
  interactive: boolean,
  format: string,
): { update(progress: Progress): void; stop(): void } {
  if (!interactive) return { update() {}, stop() {} }
  const { Presets, SingleBar }: typeof import("cli-progress") = require("cli-progress")
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true }, Presets.shades_classic)
  let kind: string | undefined
  return {
    update({ done, total, ...payload }) {
      const shown = { ...payload, kind: (payload.kind ?? "").padEnd(7) }
      if (kind === undefined || (payload.kind ?? "") !== kind) {
        bar.stop()
        bar.start(total, done, shown)
        kind = payload.kind ?? ""
      } else bar.update(done, shown)
    },
    stop() {
      bar.stop()
    },
  }
}
