import { Presets, SingleBar } from "cli-progress"
import type { WalkProgress } from "../index.ts"

/** A progress bar on standard error; nothing at all where that is no terminal. */
export function progressBar(interactive: boolean): { update(progress: WalkProgress): void; stop(): void } {
  if (!interactive) return { update() {}, stop() {} }
  const bar = new SingleBar(
    {
      format: "{kind} {bar} {value}/{total} folders, {read} files read",
      stream: process.stderr,
      hideCursor: true,
    },
    Presets.shades_classic,
  )
  let kind = ""
  return {
    update(progress) {
      const payload = { kind: progress.kind.padEnd(7), read: progress.read }
      if (progress.kind !== kind) {
        bar.stop()
        bar.start(progress.total, progress.done, payload)
        kind = progress.kind
      } else bar.update(progress.done, payload)
    },
    stop() {
      bar.stop()
    },
  }
}
