import { expect, test } from "bun:test"
import { openStore } from "../../src/index.ts"
import { runInProcess } from "../support/processes.ts"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROUNDS = 20

const MOVE = `
  await until("ready")
  const moved = []
  for (let round = 0; round < ${ROUNDS}; round++) {
    moved.push(...await store.sessions.move("ses_1", round % 2 ? "a" : "b"))
    await Bun.sleep(2)
  }
  writeFileSync(at("done"), "")
  console.log(JSON.stringify(moved.length))`

/** The projects that hold the session, and its body. */
function copies(directory: string): string[] {
  return [...new Bun.Glob("session/*/ses_1.json").scanSync({ cwd: directory })].sort()
}

test("updates of a session that another process moves 20 times are all there, in one copy that can be moved again", async () => {
  const directory = tempFolder()
  put(directory, "session/a/ses_1.json", { ...session("ses_1", { projectID: "a" }), n: 0 })
  const [moved, acknowledged] = await Promise.all([
    runInProcess(directory, MOVE),
    runInProcess(
      directory,
      `let n = 0
      do {
        await store.sessions.update("ses_1", (draft) => { draft.n++; draft.time.updated++ })
        n++
        if (n === 1) writeFileSync(at("ready"), "")
      } while (!existsSync(at("done")))
      console.log(JSON.stringify(n))`,
    ),
  ])
  expect(moved).toBe(ROUNDS)
  expect(copies(directory)).toEqual(["session/a/ses_1.json"])
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await store.sessions.get("ses_1")).toMatchObject({ n: acknowledged, projectID: "a" })
  expect(await store.sessions.move("ses_1", "b")).toEqual(["ses_1"])
  expect(await store.sessions.get("ses_1")).toMatchObject({ n: acknowledged, projectID: "b" })
  console.log(`${acknowledged} updates beside ${moved} moves`)
}, 30_000)

test("a session that is written while another process moves it stays in one place", async () => {
  const directory = tempFolder()
  put(directory, "session/a/ses_1.json", { ...session("ses_1", { projectID: "a" }), n: 0 })
  const [moved, written] = await Promise.all([
    runInProcess(directory, MOVE),
    runInProcess(
      directory,
      `let n = 0
      do {
        const body = await store.sessions.get("ses_1")
        await store.sessions.write({ ...body, n: ++n })
        if (n === 1) writeFileSync(at("ready"), "")
      } while (!existsSync(at("done")))
      console.log(JSON.stringify(n))`,
    ),
  ])
  expect(moved).toBe(ROUNDS)
  expect(copies(directory)).toEqual(["session/a/ses_1.json"])
  await using store = await openStore({ directory, backgroundIndex: false })
  expect(await store.sessions.get("ses_1")).toMatchObject({ n: written })
  expect(await store.sessions.move("ses_1", "b")).toEqual(["ses_1"])
}, 30_000)

test("a session that is removed while another process moves it is gone whole", async () => {
  const directory = tempFolder()
  const body = session("ses_1", { projectID: "a" })
  put(directory, "template.json", body)
  await Promise.all([
    runInProcess(
      directory,
      `for (let round = 0; round < ${ROUNDS}; round++) {
        await store.write(["session", "a", "ses_1"], ${JSON.stringify(body)})
        await store.messages.write(${JSON.stringify(message("msg_1", "ses_1", 1))})
        await store.parts.write(${JSON.stringify(part("prt_1", "msg_1"))})
        writeFileSync(at("ready" + round), "")
        while (!existsSync(at("removed" + round)))
          for (const project of ["b", "a"])
            await store.sessions.move("ses_1", project).catch((error) => { if (error.code !== "NOT_FOUND") throw error })
        writeFileSync(at("moved" + round), "")
        await until("looked" + round)
      }
      console.log("0")`,
    ),
    runInProcess(
      directory,
      `for (let round = 0; round < ${ROUNDS}; round++) {
        await until("ready" + round)
        await store.sessions.remove("ses_1")
        writeFileSync(at("removed" + round), "")
        await until("moved" + round)
        const left = (await Array.fromAsync(store.keys())).filter(([kind]) => ["session", "message", "part"].includes(kind))
        if (left.length > 0) throw new Error("round " + round + " left " + JSON.stringify(left))
        writeFileSync(at("looked" + round), "")
      }
      console.log("0")`,
    ),
  ])
}, 30_000)
