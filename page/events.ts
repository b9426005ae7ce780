import { fieldsOf } from "../src/record/extract.ts"
import { textOf } from "./format.ts"

/** Something in the store changed; ids are empty where they are not known. */
export interface Change {
  readonly kind: string
  readonly type: string
  readonly projectID: string
  readonly sessionID: string
  readonly messageID: string
}

export interface Listener {
  /** Told at the beginning, and after each gap, in which changes may have been missed. */
  connected(again: boolean): void
  lost(): void
  change(change: Change): void
}

/** The browser connects again by itself, but not after a refusal. */
const WAIT = 5_000
/** How long a page goes on listening that nobody looks at, in ms. */
const LINGER = 10_000

/**
 * Hears of changes; the answer ends that. A browser gives all its windows together six connections to one server, so a page
 * that nobody looks at lets go of its own, and a seventh window is answered too.
 */
export function listen(url: URL, listener: Listener): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let again = document.hidden
  const connect = (): void => {
    const opened = new EventSource(url)
    source = opened
    opened.addEventListener("hello", () => {
      listener.connected(again)
      again = true
    })
    opened.addEventListener("change", ({ data }) => listener.change(readChange(JSON.parse(data))))
    opened.addEventListener("error", () => {
      listener.lost()
      if (opened.readyState !== EventSource.CLOSED) return
      source = undefined
      timer = setTimeout(look, WAIT)
    })
  }
  const leave = (): void => {
    source?.close()
    source = undefined
  }
  const look = (): void => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(leave, LINGER)
    else if (!source) connect()
  }
  document.addEventListener("visibilitychange", look)
  look()
  return () => {
    document.removeEventListener("visibilitychange", look)
    clearTimeout(timer)
    leave()
  }
}

function readChange(value: unknown): Change {
  const { kind, type, projectID, sessionID, messageID } = fieldsOf(value)
  return {
    kind: textOf(kind),
    type: textOf(type),
    projectID: textOf(projectID),
    sessionID: textOf(sessionID),
    messageID: textOf(messageID),
  }
}
