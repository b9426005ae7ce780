import { useLayoutEffect, useState } from "preact/hooks"

/** State that components watch; its changes are told together, once a turn of the event loop. */
export abstract class Model {
  readonly #watchers = new Set<() => void>()
  #told = true

  /** Calls `watcher` after changes; the answer ends that. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  protected changed(): void {
    if (!this.#told) return
    this.#told = false
    queueMicrotask(() => {
      this.#told = true
      for (const watcher of [...this.#watchers]) watcher()
    })
  }
}

/** Renders the component again whenever the model changes. */
export function useModel<T extends Model>(model: T): T {
  const [, again] = useState(0)
  useLayoutEffect(() => model.watch(() => again((count) => count + 1)), [model])
  return model
}
