import { expect, test } from "bun:test"
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { openStore } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"
import { Random } from "../support/random.ts"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const SESSIONS = 6
const MESSAGES = 4
/** Longer than the clock's granularity, so that stamps prove something. */
const SETTLED_MS = 150

async function indexed(directory: string): Promise<void> {
  await Bun.sleep(SETTLED_MS)
  await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
  await store.index()
}

function fill(directory: string): void {
  for (let s = 0; s < SESSIONS; s++) {
    put(directory, `session/project/ses_${s}.json`, session(`ses_${s}`, { projectID: "project" }))
    for (let m = 0; m < MESSAGES; m++) {
      const id = `msg_${s}_${m}`
      put(directory, `message/ses_${s}/${id}.json`, message(id, `ses_${s}`, m))
      put(directory, `part/${id}/prt_${id}.json`, part(`prt_${id}`, id))
    }
  }
}

function pathOf(directory: string, s: number, id: string): string {
  return join(directory, "message", `ses_${s}`, `${id}.json`)
}

async function partsLeft(store: Store, s: number): Promise<string[]> {
  const left: string[] = []
  for (let m = 0; m < MESSAGES; m++)
    for (const id of await Array.fromAsync(store.parts.ids(`msg_${s}_${m}`))) left.push(id)
  return left
}

test("parts stay where another program copied their message into a session that the index knew", async () => {
  const directory = tempFolder()
  fill(directory)
  await indexed(directory)
  copyFileSync(pathOf(directory, 0, "msg_0_1"), pathOf(directory, 3, "msg_0_1"))
  await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
  expect(await store.sessions.remove("ses_0")).toMatchObject({ messages: MESSAGES, parts: MESSAGES - 1 })
  expect(await partsLeft(store, 0)).toEqual(["prt_msg_0_1"])
  // The last that holds it takes them along.
  expect(await store.sessions.remove("ses_3")).toMatchObject({ messages: MESSAGES + 1, parts: MESSAGES + 1 })
})

test("whatever other programs copied, moved and removed, parts go with the last session that holds their message", async () => {
  const seed = Date.now()
  const random = new Random(seed)
  const pick = (count: number): number => random.below(count)
  for (let round = 0; round < 12; round++) {
    const directory = tempFolder()
    fill(directory)
    await indexed(directory)
    const steps: string[] = []
    for (let step = 0; step < 6; step++) {
      const [from, to] = [pick(SESSIONS), pick(SESSIONS)]
      const names = readdirSync(join(directory, "message", `ses_${from}`))
      if (names.length === 0 || from === to) continue
      const id = random.pick(names.sort()).replace(".json", "")
      const path = pathOf(directory, from, id)
      const what = pick(5)
      steps.push(`${what} ${id} ${from} ${to}`)
      if (what < 2) copyFileSync(path, pathOf(directory, to, id))
      else if (what === 2) renameSync(path, pathOf(directory, to, id))
      else if (what === 3) rmSync(path)
      // Half of it is known to the index, half is not.
      else await indexed(directory)
    }
    const removed = pick(SESSIONS)
    const held = (id: string, by: readonly number[]): boolean =>
      by.some((s) => existsSync(pathOf(directory, s, id)))
    const others = Array.from({ length: SESSIONS }, (_, s) => s).filter((s) => s !== removed)
    const expected: string[] = []
    for (let s = 0; s < SESSIONS; s++)
      for (let m = 0; m < MESSAGES; m++) {
        const id = `msg_${s}_${m}`
        const goes = held(id, [removed]) && !held(id, others)
        if (!goes) expected.push(id)
      }
    await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
    await store.sessions.remove(`ses_${removed}`)
    const left = Array.from(
      { length: SESSIONS * MESSAGES },
      (_, n) => `msg_${Math.floor(n / MESSAGES)}_${n % MESSAGES}`,
    )
    expect({
      seed,
      steps,
      removed,
      left: left.filter((id) => existsSync(join(directory, "part", id))),
    }).toEqual({
      seed,
      steps,
      removed,
      left: expected,
    })
  }
}, 60_000)

test("parts stay too where the index that told of it is removed in the midst of the removal", async () => {
  const directory = tempFolder()
  const many = Array.from({ length: 100 }, (_, m) => `msg_many_${String(m).padStart(3, "0")}`)
  fill(directory)
  for (const [m, id] of many.entries()) {
    put(directory, `message/ses_0/${id}.json`, message(id, "ses_0", m))
    put(directory, `message/ses_3/${id}.json`, message(id, "ses_3", m))
    put(directory, `part/${id}/prt_${id}.json`, part(`prt_${id}`, id))
  }
  await indexed(directory)
  let isGone = false
  const fs: FileSystem = {
    ...fileSystem,
    removeFile(path) {
      const removed = fileSystem.removeFile(path)
      if (!isGone && path === pathOf(directory, 0, "msg_0_0")) {
        isGone = true
        rmSync(join(directory, ".sessiondex"), { recursive: true })
      }
      return removed
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false, search: "titles" }), {
    fs,
  })
  expect(await store.sessions.remove("ses_0")).toMatchObject({
    messages: MESSAGES + many.length,
    parts: MESSAGES,
  })
  expect(isGone).toBe(true)
  expect(many.filter((id) => !existsSync(join(directory, "part", id)))).toEqual([])
})
