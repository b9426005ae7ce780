import type { WalkOptions, WalkResult } from "../index.ts"
import type { Context } from "./context.ts"
import { interruptible } from "./interrupt.ts"
import { progressBar } from "./progress.ts"
import { oneLine } from "./text.ts"

/** Runs a walk with a progress bar, ends it on Ctrl-C, and prints what it found. */
export async function printWalk(
  { output, fail }: Context,
  json: boolean,
  work: (options: WalkOptions) => Promise<WalkResult>,
): Promise<void> {
  const bar = progressBar(output.interactive, "{kind} {bar} {value}/{total} {unit}, {read} files read")
  const { signal, release } = interruptible()
  try {
    const result = await work({
      signal,
      onProgress: (progress) =>
        bar.update({ ...progress, unit: progress.kind === "text" ? "messages" : "folders" }),
    })
    bar.stop()
    if (result.unreadable.length > 0) fail()
    if (json) return await output.json(result)
    const { sessions, messages, parts, read, elapsedMs, textsMs } = result
    const texts = textsMs > 0 ? `, ${Math.round(textsMs)} of them for texts` : ""
    await output.line(
      `${sessions} sessions, ${messages} messages, ${parts} parts; read ${read} files in ${Math.round(elapsedMs)} ms${texts}`,
    )
    for (const { path, code, message } of result.unreadable)
      await output.line(oneLine(`${code} ${path}: ${message}`))
  } finally {
    bar.stop()
    release()
  }
}
