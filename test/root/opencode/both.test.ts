import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { join } from "node:path"
import { opencodeDatabase, openStore } from "../../../src/index.ts"
import { tempFolder } from "../../support/temp.ts"
import { laterDatabase, messageRow, partRow, sessionRow } from "./support.ts"

test("a store over a database that opencode 2 took over, and 1.x goes on writing to, has each session once and whole", async () => {
  const path = laterDatabase()
  const agent = new Database(path)
  // What 1.x did since: went on with a session that was copied, and began one below it.
  const said = (id: string, session: string, at: number, text: string): string =>
    messageRow(id, session, at) + partRow(`prt_${id}`, id, session, { type: "text", text })
  agent.run(`${said("msg_b9", "ses_both", 1791500700000, "quagga of 1.x")}
    UPDATE session SET title = 'By 1.x', time_updated = 1791500700000 WHERE id = 'ses_both';
    ${sessionRow({ id: "ses_v1child", project: "p1", parent: "ses_both", updated: 1791500700001 })}
    ${said("msg_vc", "ses_v1child", 1791500700001, "quagga below")}`)
  const directory = join(tempFolder(), "storage")
  await using store = await openStore({ directory, roots: [opencodeDatabase(path)], backgroundIndex: false })
  const stream = async (id: string) => {
    const all = await Array.fromAsync(store.messages.stream(id, { direction: "asc" }))
    return all.map(({ info, parts }) => [info.id, ...parts.map(({ id }) => id)])
  }
  const sessions = ["ses_v1child", "ses_v1late", "ses_new", "ses_child", "ses_both"]
  expect((await Array.fromAsync(store.sessions.list())).map(({ id }) => id)).toEqual(sessions)
  expect(await store.sessions.count()).toBe(5)
  expect((await store.sessions.get("ses_both"))?.title).toBe("In both")
  const both = await stream("ses_both")
  expect(both.map(([id]) => id)).toEqual(["msg_b1", "msg_b3", "msg_b4"])
  expect(both.at(-1)).toEqual(["msg_b4", "prt_msg_b4_00000", "prt_msg_b4_00001"])
  expect(await stream("ses_v1child")).toEqual([["msg_vc", "prt_msg_vc"]])
  for (const [parent, child] of [
    ["ses_both", "ses_v1child"],
    ["ses_new", "ses_child"],
  ] as const)
    expect((await Array.fromAsync(store.sessions.children(parent))).map(({ id }) => id)).toEqual([child])
  const hits = await Array.fromAsync(store.search("quagga"))
  expect(hits.map(({ sessionID, partID }) => [sessionID, partID])).toEqual([["ses_v1child", "prt_msg_vc"]])
  for (const id of sessions) {
    const exported = JSON.parse((await Array.fromAsync(store.export(id))).join(""))
    const ids = exported.messages.map(
      ({ info, parts }: { info: { id: string }; parts: { id: string }[] }) => [
        info.id,
        ...parts.map((part) => part.id),
      ],
    )
    expect([exported.info.id, ids]).toEqual([id, await stream(id)])
  }
  // opencode 2 goes on: ids of what was there stay what they are.
  agent.run(`UPDATE session_v2 SET title = 'Later', time_updated = 1791500800000 WHERE id = 'ses_both';
    INSERT INTO session_message VALUES ('msg_b6', 'ses_both', 'user', 900, 1791500800000, 1791500800000, '{"text":"quagga of 2","time":{"created":1791500800000}}')`)
  agent.close()
  expect((await Array.fromAsync(store.sessions.list({ limit: 1 })))[0]).toMatchObject({ title: "Later" })
  expect(await stream("ses_both")).toEqual([...both, ["msg_b6", "prt_msg_b6_00000"]])
  expect(await Array.fromAsync(store.search("quagga"))).toHaveLength(2)
  expect(await Array.fromAsync(store.problems())).toEqual([])
})
