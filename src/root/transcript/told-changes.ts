import { changeOf, type StoreChange } from "../change.ts"

/** More changed messages of one session than this are told as one change. */
const MAX_TOLD = 100

/** Collects changes to tell together: of each record the last one. */
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
    // Moved to the end: the last change is told last.
    this.#changes.delete(key)
    this.#changes.set(key, change)
  }

  /** Returns all of them and forgets them. */
  take(): StoreChange[] {
    const all = [...this.#changes.values()]
    this.#changes.clear()
    this.#messages.clear()
    return all
  }
}
