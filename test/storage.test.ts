import { expect, test } from "bun:test"
import { createStorage } from "sessiondex/storage"
import { all, failure, message, part, session } from "./support/records.ts"
import { tempFolder } from "./support/temp.ts"

test("the drop-in names do what they say", async () => {
  await using storage = await createStorage({ directory: tempFolder(), backgroundIndex: false })
  await storage.writeSession(session("ses_1", { time: { created: 1, updated: 1 } }))
  await storage.writeSession(session("ses_2", { time: { created: 2, updated: 2 } }))
  for (const id of ["msg_1", "msg_2"]) await storage.writeMessage(message(id, "ses_1", Number(id.at(-1))))
  for (const id of ["prt_1", "prt_2"]) await storage.writePart(part(id, "msg_1"))
  await storage.write(["todo", "ses_1"], [{ content: "x" }])
  expect(await all(storage.listSessionIds())).toEqual(["ses_2", "ses_1"])
  expect(await all(storage.listSessionIds("none"))).toEqual([])
  expect(await all(storage.listMessageIds("ses_1"))).toEqual(["msg_2", "msg_1"])
  expect(await all(storage.listPartIds("msg_1"))).toEqual(["prt_1", "prt_2"])
  expect(await storage.list(["message"])).toEqual([
    ["message", "ses_1", "msg_1"],
    ["message", "ses_1", "msg_2"],
  ])
  expect(await all(storage.listStream(["message"]))).toEqual(await storage.list(["message"]))
  expect(await storage.count(["part"])).toBe(2)
  expect(
    await storage.update<{ content: string }[]>(["todo", "ses_1"], (draft) => [...draft, { content: "y" }]),
  ).toHaveLength(2)
  expect(await storage.read<unknown[]>(["todo", "ses_1"])).toHaveLength(2)
  await storage.removePart("msg_1", "prt_1")
  await storage.removeMessage("ses_1", "msg_2")
  expect(await storage.count(["message"])).toBe(1)
  await storage.removeSession("ses_1")
  expect(await storage.list([])).toEqual([["session", "proj", "ses_2"]])
  await storage.remove(["nothing", "here"])
  expect(await failure(storage.read(["todo", "ses_1"]))).toMatchObject({ code: "NOT_FOUND" })
})
