import { expect, test } from "bun:test"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"
import { resolveOptions } from "../../src/options.ts"
import { JoinedRuns } from "../../src/root/json/joined-runs.ts"
import { Store } from "../../src/store.ts"
import { session } from "../support/records.ts"
import { put, tempFolder, untilProven } from "../support/temp.ts"

/** Work whose runs end when they are told to; each gives the number of the run. */
function work() {
  const ends: ((error?: Error) => void)[] = []
  const signals: AbortSignal[] = []
  const run = (signal: AbortSignal): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const number = ends.push((error) => (error ? reject(error) : resolve(number)))
    signals.push(signal)
    signal.addEventListener("abort", () => reject(signal.reason))
    return promise
  }
  return { run, ends, signals }
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test("who asks while a run is under way gets the next one, together with all others", async () => {
  const runs = new JoinedRuns<number>()
  const { run, ends } = work()
  const first = runs.run("a", run, undefined)
  const others = [runs.run("a", run, undefined), runs.run("a", run, undefined)]
  const elsewhere = runs.run("b", run, undefined)
  await tick()
  expect(ends).toHaveLength(2)
  ends[0]?.()
  ends[1]?.()
  expect([await first, await elsewhere]).toEqual([1, 2])
  await tick()
  expect(ends).toHaveLength(3)
  const later = runs.run("a", run, undefined)
  ends[2]?.()
  expect(await Promise.all(others)).toEqual([3, 3])
  await tick()
  ends[3]?.()
  expect(await later).toBe(4)
  const alone = runs.run("a", run, undefined)
  ends[4]?.()
  expect(await alone).toBe(5)
})

test("a failure is told to those who waited for that run, and the next run begins all the same", async () => {
  const runs = new JoinedRuns<number>()
  const { run, ends } = work()
  const first = runs.run("a", run, undefined)
  const second = runs.run("a", run, undefined)
  ends[0]?.(new Error("no luck"))
  expect(first).rejects.toThrow("no luck")
  await tick()
  ends[1]?.()
  expect(await second).toBe(2)
})

test("who goes away hinders no other; the work ends with the last", async () => {
  const runs = new JoinedRuns<number>()
  const { run, ends, signals } = work()
  const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()]
  const first = runs.run("a", run, one.signal)
  const waiting = [runs.run("a", run, two.signal), runs.run("a", run, three.signal)]
  one.abort(new Error("one left"))
  expect(first).rejects.toThrow("one left")
  await tick()
  expect(signals[0]?.aborted).toBe(true)
  two.abort(new Error("two left"))
  expect(waiting[0]).rejects.toThrow("two left")
  await tick()
  expect(signals[1]?.aborted).toBe(false)
  ends[1]?.()
  expect(await waiting[1]).toBe(2)
  expect(runs.run("a", run, AbortSignal.abort(new Error("gone before")))).rejects.toThrow("gone before")
  await tick()
  expect(ends).toHaveLength(2)
})

test("a run that all left before it began is not joined by who comes later", async () => {
  const runs = new JoinedRuns<number>()
  const { run, ends } = work()
  const first = runs.run("a", run, undefined)
  const abort = new AbortController()
  const left = runs.run("a", run, abort.signal)
  abort.abort(new Error("left"))
  const later = runs.run("a", run, undefined)
  ends[0]?.()
  expect(await first).toBe(1)
  expect(left).rejects.toThrow("left")
  await tick()
  ends[1]?.()
  expect(await later).toBe(2)
  await tick()
  expect(ends).toHaveLength(2)
})

test("twenty pages that are asked for at once look at the files twice, not twenty times; what was written before is in each", async () => {
  const directory = tempFolder()
  for (let at = 0; at < 100; at++) put(directory, `session/p/ses_${at}.json`, session(`ses_${at}`))
  await untilProven()
  let looks = 0
  const fs: FileSystem = {
    ...fileSystem,
    lstat(path) {
      looks++
      return fileSystem.lstat(path)
    },
    fstat(descriptor) {
      looks++
      return fileSystem.fstat(descriptor)
    },
  }
  await using store = new Store(resolveOptions({ directory, backgroundIndex: false }), { fs })
  const page = (): Promise<unknown> => store.sessions.pageKeys({ limit: 1 })
  await page()
  looks = 0
  await page()
  const once = looks
  expect(once).toBeGreaterThan(90)
  looks = 0
  await Promise.all(Array.from({ length: 20 }, page))
  expect(looks).toBeLessThan(3 * once)
  const pages = Array.from({ length: 10 }, page)
  put(directory, "session/p/ses_new.json", session("ses_new", { time: { created: 1, updated: 5_000 } }))
  const later = Array.from({ length: 10 }, page)
  await Promise.all(pages)
  for (const found of await Promise.all(later))
    expect(found).toMatchObject({ items: [["session", "p", "ses_new"]] })
})
