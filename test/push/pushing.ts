import { openStore, type Pushed, type PushOptions, type PushResult, type Store } from "../../src/index.ts"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

/** What a push came to, beside what it yielded. */
export type Outcome = PushResult & { readonly yielded: readonly Pushed[] }

/** Pushes all that a folder holds. */
export async function pushed(directory: string, url: string, options: PushOptions = {}): Promise<Outcome> {
  await using store = await openStore({ directory, backgroundIndex: false, durability: "relaxed" })
  return await pushOf(store, url, options)
}

export async function pushOf(store: Store, url: string, options: PushOptions = {}): Promise<Outcome> {
  const yielded: Pushed[] = []
  const all = store.push(url, options)
  for (;;) {
    const next = await all.next()
    if (next.done) return { ...next.value, yielded }
    yielded.push(next.value)
  }
}

/** A store with a session of two messages. */
export function small(id = "ses_1", over = {}): string {
  const directory = tempFolder()
  putSmall(directory, id, over)
  return directory
}

/** Puts a session of two messages, with a part each, into a store. */
export function putSmall(directory: string, id = "ses_1", over: { projectID?: string } = {}): void {
  put(directory, `session/${over.projectID ?? "proj"}/${id}.json`, session(id, over))
  for (const [at, name] of ["a", "b"].entries()) {
    const messageID = `msg_${id}_${name}`
    put(directory, `message/${id}/${messageID}.json`, message(messageID, id, at))
    put(directory, `part/${messageID}/prt_${id}_${name}.json`, part(`prt_${id}_${name}`, messageID))
  }
}
