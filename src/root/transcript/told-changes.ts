import { changeOf, type StoreChange } from "../change.ts"

/** More messages of one session than that are told of as one change. */
const MAX_TOLD = 100

/** Changes that are to be told together, each record's once: what was last heard of it. */
export class ToldChanges {
  readonly #changes = new Map<string, StoreChange>()
  readonly #messages = new Map<string, number>()

  add(change: StoreChange): void {
    const { kind, projectID, sessionID = "", messageID } = change
    const key = [kind, projectID, sessionID, messageID].join("/")
    const all = changeOf(["message", sessionID], "unknown", "other")
    if (messageID !== undefined && !this.#changes.has(key)) {
      const count = (this.#messages.get(sessionID) ?? 0) + 1
      this.#messages.set(sessionID, count)
      if (count === MAX_TOLD + 1) {
        for (const [known, one] of this.#changes)
          if (one.messageID !== undefined && one.sessionID === sessionID) this.#changes.delete(known)
        this.add(all)
      }
      if (count > MAX_TOLD) return
    }
    // Moved to the end: what was heard last is told last.
    this.#changes.delete(key)
    this.#changes.set(key, change)
  }

  /** Gives them all, and forgets them. */
  take(): StoreChange[] {
    const all = [...this.#changes.values()]
    this.#changes.clear()
    this.#messages.clear()
    return all
  }
}
