import { postgres } from "../../src/index.ts"
import type { HeldRecord, History } from "../../src/testing/index.ts"
import { rootContract } from "../../src/testing/index.ts"
import { historyOf, randomHistory } from "../root/histories.ts"
import { describePostgres } from "../support/postgres.ts"
import { Random } from "../support/random.ts"
import { treePath } from "../support/temp.ts"
import { publish } from "./publish.ts"

/** What of a history a machine publishes: each session from one project, and what belongs to a session. */
function publishable(history: History): History {
  const sessions = [...new Map(history.sessions.map((one) => [one.id, one])).values()]
  const known = new Set(sessions.map(({ id }) => id))
  const messages = history.messages.filter(({ folder }) => known.has(folder))
  const messageIDs = new Set(messages.map(({ id }) => id))
  const parts = history.parts.filter(({ folder }) => messageIDs.has(folder))
  return { ...history, sessions, messages, parts }
}

/** Older copies of some sessions, which say something else. */
function olderCopies({ sessions, messages, parts }: History, random: Random): History {
  const some = sessions.filter(() => random.chance(0.6))
  const changed = ({ body, ...rest }: HeldRecord, fields: object): HeldRecord => ({
    ...rest,
    body: { ...body, ...fields },
  })
  return {
    sessions: some.map((one) => changed(one, { title: "an older copy", time: { created: 1, updated: -1 } })),
    messages: messages.filter(({ folder }) => some.some(({ id }) => id === folder)),
    parts: parts.map((one) => changed(one, { text: "older words" })),
  }
}

describePostgres("a fleet's root", (server) => {
  rootContract("PostgreSQL, one machine", async () => {
    const url = await server.database()
    const holds = publishable(randomHistory(11))
    await publish(url, "m1", holds)
    return { root: postgres(url), holds }
  })

  rootContract("PostgreSQL, the fixture", async () => {
    const url = await server.database()
    const holds = publishable(historyOf(treePath("opencode-1.1.65/storage")))
    await publish(url, "m1", holds)
    return { root: postgres(url), holds }
  })

  rootContract("PostgreSQL, copies on several machines", async () => {
    const url = await server.database()
    const random = new Random(3)
    const holds = publishable(randomHistory(12))
    const half = holds.sessions.filter(() => random.chance(0.5))
    const inHalf = new Set(half.map(({ id }) => id))
    await publish(url, "m2", { ...holds, sessions: half })
    await publish(url, "m1", {
      ...holds,
      plain: {},
      sessions: holds.sessions.filter(({ id }) => !inHalf.has(id)),
    })
    await publish(url, "m0", olderCopies(holds, random))
    return { root: postgres(url), holds }
  })
})
