import type { Store } from "../../src/index.ts"
import { message, part, session } from "../support/records.ts"

/** Tells what is about to be changed, and then that it was. */
export type Told = <T>(key: readonly string[], value: unknown, work: () => Promise<T>) => Promise<T>

/** A run of calls, each step of which a process may die at. */
export interface Scenario {
  readonly name: string
  run(store: Store, told: Told): Promise<void>
}

const PROJECT = "proj"

function writeSession(store: Store, told: Told, id: string, updated: number): Promise<void> {
  const body = session(id, { projectID: PROJECT, time: { created: 1, updated } })
  return told(["session", PROJECT, id], body, () => store.sessions.write(body))
}

export const scenarios: readonly Scenario[] = [
  {
    name: "write",
    async run(store, told) {
      await writeSession(store, told, "ses_new", 5)
      const body = message("msg_new", "ses_new", 1)
      await told(["message", "ses_new", "msg_new"], body, () => store.messages.write(body))
      const piece = part("prt_new", "msg_new")
      await told(["part", "msg_new", "prt_new"], piece, () => store.parts.write(piece))
      await told(["todo", "ses_new"], [1, 2], () => store.write(["todo", "ses_new"], [1, 2]))
      await writeSession(store, told, "ses_1", 99)
      await store.sessions.page({ limit: 2 })
      await writeSession(store, told, "ses_new", 100)
    },
  },
  {
    name: "update",
    async run(store, told) {
      await told(["counter"], { n: 0 }, () => store.write(["counter"], { n: 0 }))
      for (let n = 1; n <= 4; n++)
        await told(["counter"], { n }, () =>
          store.update<{ n: number }>(["counter"], (draft) => ({ n: draft.n + 1 })),
        )
      const title = "changed"
      const body = { ...session("ses_2", { projectID: PROJECT, time: { created: 2, updated: 2 } }), title }
      await told(["session", PROJECT, "ses_2"], body, () =>
        store.sessions.update("ses_2", (draft) => {
          draft.title = title
        }),
      )
    },
  },
  {
    name: "remove",
    async run(store) {
      await store.sessions.remove("ses_1")
    },
  },
  {
    name: "group of writes",
    async run(store, told) {
      await Promise.all(
        Array.from({ length: 12 }, (_, i) => {
          const piece = part(`prt_group_${i}`, `msg_group_${i % 3}`)
          return told(["part", `msg_group_${i % 3}`, piece.id], piece, () => store.parts.write(piece))
        }),
      )
      await Promise.all(["a", "b", "c"].map((id, i) => writeSession(store, told, `ses_${id}`, i)))
    },
  },
  {
    name: "index",
    async run(store) {
      await store.index()
    },
  },
  {
    name: "rebuild",
    async run(store) {
      await store.index()
      await store.rebuild()
    },
  },
]
