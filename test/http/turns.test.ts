import { expect, test } from "bun:test"
import { ListTurns, Turns } from "../../src/http/turns.ts"

const never = new AbortController().signal
const lost = (): void => {
  throw new Error("The turn was lost")
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending")
  await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

test("so many at once, the others in the order they came; a turn ends once", async () => {
  const turns = new Turns(2, 60_000)
  const [a] = [await turns.take(never, lost), await turns.take(never, lost)]
  const [third, fourth] = [turns.take(never, lost), turns.take(never, lost)]
  expect([await isSettled(third), await isSettled(fourth)]).toEqual([false, false])
  a.end()
  a.end()
  expect([await isSettled(third), await isSettled(fourth)]).toEqual([true, false])
  ;(await third).end()
  await fourth
})

test("who goes away while it waits is passed over", async () => {
  const turns = new Turns(1, 60_000)
  const first = await turns.take(never, lost)
  const abort = new AbortController()
  const [left, next] = [turns.take(abort.signal, lost), turns.take(never, lost)]
  abort.abort(new Error("gone"))
  expect(left).rejects.toThrow("gone")
  first.end()
  await next
  expect(turns.take(AbortSignal.abort(new Error("gone before")), lost)).rejects.toThrow("gone before")
})

test("the longest idle loses its turn, one for each that waits, and none that is busy", async () => {
  const turns = new Turns(3, 20)
  const gone: string[] = []
  const idle = async (name: string): Promise<void> => {
    const turn = await turns.take(never, () => gone.push(name))
    turn.busy(false)
    await Bun.sleep(5)
  }
  const busy = await turns.take(never, lost)
  await idle("a")
  await idle("b")
  await Bun.sleep(60)
  expect(gone).toEqual([])
  await turns.take(never, lost)
  expect(gone).toEqual(["a"])
  busy.busy(true)
  await turns.take(never, lost)
  expect(gone).toEqual(["a", "b"])
  const waiting = turns.take(never, lost)
  await Bun.sleep(60)
  expect(await isSettled(waiting)).toBe(false)
  busy.end()
  await waiting
})

test("one list begins after another, also where one fails", async () => {
  const turns = new ListTurns(2, 60_000)
  const order: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const first = turns.begin(never, async () => {
    order.push("first begins")
    await promise
    order.push("first has begun")
    throw new Error("no list")
  })
  const second = turns.begin(never, async () => order.push("second begins"))
  expect(await isSettled(second)).toBe(false)
  resolve()
  expect(first).rejects.toThrow("no list")
  await second
  expect(order).toEqual(["first begins", "first has begun", "second begins"])
})
