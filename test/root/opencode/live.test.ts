import { expect, test } from "bun:test"
import type { OpencodeDatabase } from "../../../src/root/opencode/database.ts"
import { listMessages } from "../../../src/root/opencode/message-list.ts"
import { listSessions } from "../../../src/root/opencode/session-list.ts"
import { sessionBodies } from "../../../src/root/opencode/session-rows.ts"
import { ALL, databaseOf, readerOf, SCHEMA_1_2, startAgent } from "./support.ts"

/** Each session's title says how many messages it has, at any one moment. */
function isOneState(database: OpencodeDatabase): { sessions: number; torn: string[] } {
  return database.snapshot((view) => {
    const sessions = listSessions(view, ALL, undefined, 100)
    const bodies = sessionBodies(
      view,
      sessions.map(({ id }) => id),
      1 << 20,
      () => {},
    )
    const torn = sessions.flatMap(({ id }) => {
      const messages = listMessages(view, id, "asc", undefined, 100).length
      const title = bodies.get(id)?.title
      return String(messages) === title ? [] : [`${id} is titled ${title} and has ${messages}`]
    })
    return { sessions: sessions.length, torn }
  })
}

test("while the agent writes, every snapshot is one state and the agent never finds its database locked", async () => {
  const path = databaseOf(SCHEMA_1_2)
  await using agent = await startAgent(path)
  using opened = readerOf(path)
  const { database } = opened.reader
  let asked = 0
  let sessions = 0
  const torn: string[] = []
  let writing = true
  const done = agent.say("churn 0.6").finally(() => {
    writing = false
  })
  while (writing) {
    const state = isOneState(database)
    torn.push(...state.torn)
    sessions = Math.max(sessions, state.sessions)
    if (++asked % 10 === 0) await Bun.sleep(1)
  }
  const { rounds, busy } = JSON.parse(await done)
  expect(torn).toEqual([])
  expect(busy).toBe(0)
  // That it was not empty: both did something, and the one saw what the other did.
  expect(rounds).toBeGreaterThan(20)
  expect(asked).toBeGreaterThan(20)
  expect(sessions).toBe(7)
})

test("agents that come and go between snapshots, killed or not, leave each of them one state", async () => {
  const path = databaseOf(SCHEMA_1_2)
  using opened = readerOf(path)
  const { database } = opened.reader
  for (const end of ["quit", "kill", "quit"]) {
    const agent = await startAgent(path)
    const done = agent.say("churn 0.1")
    let finished = false
    done.then(() => {
      finished = true
    })
    while (!finished) {
      expect(isOneState(database).torn).toEqual([])
      await Bun.sleep(1)
    }
    expect(JSON.parse(await done).busy).toBe(0)
    agent.say(end)
    await agent.exited
    expect(isOneState(database)).toEqual({ sessions: 7, torn: [] })
  }
})
