/** A signal that Ctrl-C aborts, for work that a later run goes on with; `release` gives Ctrl-C back to the system. */
export function interruptible(): { readonly signal: AbortSignal; release(): void } {
  const abort = new AbortController()
  const stop = (): void => abort.abort(new Error("Interrupted; the next run goes on from here"))
  process.once("SIGINT", stop)
  return { signal: abort.signal, release: () => process.off("SIGINT", stop) }
}
