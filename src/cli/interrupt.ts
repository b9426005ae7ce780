/** What work is ended with by Ctrl-C: no failure of ours, so nothing but its message is told. */
export class Interrupted extends Error {
  override readonly name = "Interrupted"
}

/** A signal that Ctrl-C aborts, for work that a later run goes on with; `release` gives Ctrl-C back to the system. */
export function interruptible(): { readonly signal: AbortSignal; release(): void } {
  const abort = new AbortController()
  const stop = (): void => abort.abort(new Interrupted("Interrupted; the next run goes on from here"))
  process.once("SIGINT", stop)
  return { signal: abort.signal, release: () => process.off("SIGINT", stop) }
}
