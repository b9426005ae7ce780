/** Tells how many of 1,000 dropped objects are still there after each of these, in a process of its own: in a large one nothing is collected. */
import { Garbage } from "../../../src/root/transcript/garbage.ts"

const MEGABYTE = 1024 * 1024
const [ballast = 0, most, ...steps] = process.argv.slice(2).map(Number)
const held = Buffer.alloc(ballast * MEGABYTE, 1)
const garbage = new Garbage(...(most ? [most * MEGABYTE] : []))
const there: number[] = []
for (const step of steps) {
  const objects = Array.from({ length: 1_000 }, () => new WeakRef({}))
  // What was made in this turn of the event loop is held until its end.
  await Bun.sleep(0)
  // A negative one is a step of a container of that size.
  if (step < 0) garbage.stepped(-step * MEGABYTE)
  else garbage.left(step * MEGABYTE)
  there.push(objects.filter((one) => one.deref() !== undefined).length)
}
console.log(JSON.stringify({ there, held: held.length }))
