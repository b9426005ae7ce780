import { expect, test } from "bun:test"
import { garbageCollector } from "../../src/http/garbage.ts"
import { Patience } from "../../src/http/patience.ts"

test("a promise that is waited for again and again is asked once, and its answer is not missed", async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  let asked = 0
  const counted = Object.assign(promise, {
    // biome-ignore lint/suspicious/noThenProperty: what waits for a promise calls this
    then: (...args: Parameters<typeof promise.then>) => {
      asked++
      return Promise.prototype.then.apply(promise, args)
    },
  })
  const patience = new Patience(counted)
  for (let i = 0; i < 20; i++) expect(await patience.within(0)).toBe(false)
  expect(asked).toBe(1)
  const waiting = patience.within(60_000)
  resolve("come")
  expect(await waiting).toBe(true)
  expect(await patience.within(60_000)).toBe(true)
  expect(await patience.promise).toBe("come")
})

test("a promise that fails is settled too, and nobody need hear of it", async () => {
  const patience = new Patience(Promise.reject(new Error("gone")))
  expect(await patience.within(60_000)).toBe(true)
  expect(patience.promise).rejects.toThrow("gone")
})

test("memory is looked at ever more rarely while a request only waits, and no more when there is none", async () => {
  let looks = 0
  let busy = true
  const collect = garbageCollector(() => {
    looks++
    return busy
  })
  const begun = performance.now()
  collect()
  while (looks < 3 || performance.now() - begun < 1_500) await Bun.sleep(20)
  // A look every 20 ms would be twice as many, however late the timers are.
  expect(looks).toBeLessThan((performance.now() - begun) / 20 / 2)
  busy = false
  const before = looks
  while (looks === before) await Bun.sleep(20)
  await Bun.sleep(300)
  expect(looks).toBe(before + 1)
})
