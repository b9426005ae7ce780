import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { OpencodeDatabase } from "../../../src/root/opencode/database.ts"
import { listMessages } from "../../../src/root/opencode/message-list.ts"
import { listSessions } from "../../../src/root/opencode/session-list.ts"
import { sessionBodies } from "../../../src/root/opencode/session-rows.ts"
import { tempFolder } from "../../support/temp.ts"
import { ALL, databaseOf, readerOf, SCHEMA_1_2, startAgent } from "./support.ts"

/** Each session's title says how many messages it has, at any one moment. */
function isOneState(database: OpencodeDatabase): { sessions: number; titles: string; torn: string[] } {
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
    const titles = sessions.map(({ id, time }) => `${id} ${time}`).join()
    return { sessions: sessions.length, titles, torn }
  })
}

test("while the agent writes, every snapshot is one state and the agent never finds its database locked", async () => {
  const path = databaseOf(SCHEMA_1_2)
  await using agent = await startAgent(path)
  using opened = readerOf(path)
  const { database } = opened.reader
  const stop = join(tempFolder(), "stop")
  const torn: string[] = []
  const states = new Set<string>()
  const done = agent.say(`churn ${stop}`)
  for (let asked = 0; asked < 200 || states.size < 10; asked++) {
    const state = isOneState(database)
    torn.push(...state.torn)
    states.add(state.titles)
    if (asked % 10 === 0) await Bun.sleep(1)
  }
  writeFileSync(stop, "")
  expect(JSON.parse(await done).busy).toBe(0)
  expect(torn).toEqual([])
})

test("agents that come and go between snapshots, killed or not, leave each of them one state", async () => {
  const path = databaseOf(SCHEMA_1_2)
  using opened = readerOf(path)
  const { database } = opened.reader
  for (const end of ["quit", "kill", "quit"]) {
    const agent = await startAgent(path)
    const stop = join(tempFolder(), "stop")
    const done = agent.say(`churn ${stop}`)
    for (let asked = 0; asked < 30; asked++) {
      expect(isOneState(database).torn).toEqual([])
      await Bun.sleep(1)
    }
    writeFileSync(stop, "")
    expect(JSON.parse(await done).busy).toBe(0)
    agent.say(end)
    await agent.exited
    expect(isOneState(database)).toMatchObject({ sessions: 7, torn: [] })
  }
})
