import { expect, test } from "bun:test"
import { openStore } from "../../src/index.ts"
import { runInProcess } from "../support/processes.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROUNDS = 20
const KEY = JSON.stringify(["part", "msg_1", "prt_1"])

/** Another process adds a mark to the streamed part in every round, and is told of each only when it is on the disk. */
const MARKING = `
  for (let round = 0; round < ${ROUNDS}; round++) {
    await until("streaming" + round)
    await store.update(${KEY}, (draft) => { draft.marks = [...(draft.marks ?? []), round] })
    writeFileSync(at("marked" + round), "")
  }
  console.log("0")`

test("a part that one process streams and another updates 20 times holds all of both", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1", { projectID: "p" }))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  const [conflicts] = await Promise.all([
    runInProcess(
      directory,
      `let part = { id: "prt_1", messageID: "msg_1", sessionID: "ses_1", type: "text", text: "" }
      let conflicts = 0
      const told = async (error) => {
        if (error.code !== "CONFLICT") throw error
        conflicts++
        // What both have: the other's marks and our text.
        part = await store.update(${KEY}, (draft) => { draft.text = part.text })
      }
      for (let round = 0; round < ${ROUNDS}; round++) {
        for (let token = 0; token < 5; token++) {
          part = { ...part, text: part.text + round + "." + token + " " }
          await store.parts.write(part, { coalesce: 5 }).catch(told)
        }
        writeFileSync(at("streaming" + round), "")
        await until("marked" + round)
        if (round % 2) await store.flush().catch(told)
        else await Bun.sleep(10)
      }
      await store.flush().catch(told)
      console.log(conflicts)`,
    ),
    runInProcess(directory, MARKING),
  ])
  await using store = await openStore({ directory, backgroundIndex: false })
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round)
  expect(await store.parts.get(["part", "msg_1", "prt_1"])).toMatchObject({
    marks: rounds,
    text: rounds.flatMap((round) => [0, 1, 2, 3, 4].map((token) => `${round}.${token} `)).join(""),
  })
  expect(Number(conflicts)).toBeGreaterThan(0)
  console.log(`${ROUNDS} marks, ${conflicts} conflicts`)
}, 30_000)

test("what one process removes 20 times is not brought back by another that streams it", async () => {
  const directory = tempFolder()
  await Promise.all([
    runInProcess(
      directory,
      `for (let round = 0; round < ${ROUNDS}; round++) {
        const part = { id: "prt_" + round, messageID: "msg_" + round, sessionID: "ses_" + round, type: "text", text: "" }
        await store.sessions.write({ id: part.sessionID, projectID: "p", time: { created: 1, updated: 1 } })
        await store.messages.write({ id: part.messageID, sessionID: part.sessionID, role: "user", time: { created: 1 } })
        for (const text of ["a", "ab"]) await store.parts.write({ ...part, text }, { coalesce: round % 2 ? 20 : 60_000 })
        writeFileSync(at("streaming" + round), "")
        await until("removed" + round)
        if (round % 2) await Bun.sleep(40)
        const error = await store.flush().then(() => undefined, (error) => error)
        // On a slow disk the 20 ms were over before there was anything to wait.
        if (!error && round % 2) continue
        if (error?.code !== "CONFLICT" || error.unwritten.text !== "ab") throw error ?? new Error("Nobody was told")
        await store.parts.remove(["part", part.messageID, part.id])
      }
      console.log("0")`,
    ),
    runInProcess(
      directory,
      `for (let round = 0; round < ${ROUNDS}; round++) {
        await until("streaming" + round)
        await store.sessions.remove("ses_" + round)
        writeFileSync(at("removed" + round), "")
      }
      console.log("0")`,
    ),
  ])
  await using store = await openStore({ directory, backgroundIndex: false })
  const left = (await Array.fromAsync(store.keys())).filter(([kind = ""]) =>
    /^(session|message|part)$/.test(kind),
  )
  expect(left).toEqual([])
}, 30_000)
