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

/** Hears of changes; the answer ends that. */
export function listen(url: URL, listener: Listener): () => void {
  let source: EventSource
  let timer: ReturnType<typeof setTimeout> | undefined
  let again = false
  const connect = (): void => {
    source = new EventSource(url)
    source.addEventListener("hello", () => {
      listener.connected(again)
      again = true
    })
    source.addEventListener("change", ({ data }) => listener.change(readChange(JSON.parse(data))))
    source.addEventListener("error", () => {
      listener.lost()
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, WAIT)
    })
  }
  connect()
  return () => {
    clearTimeout(timer)
    source.close()
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
