import { expect, test } from "bun:test"
import { join } from "node:path"

/** Whether dropped objects were collected by each of these: megabytes that were left, or, where negative, of a container that was stepped. */
async function collected(
  steps: readonly number[],
  { ballast = 0, most = 0 }: { readonly ballast?: number; readonly most?: number } = {},
): Promise<boolean[]> {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "garbage-child.ts"), ...[ballast, most, ...steps].map(String)],
    { stdout: "pipe", stderr: "inherit" },
  )
  const output = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  return (JSON.parse(output) as { there: number[] }).there.map((left) => left < 500)
}

test("what reading leaves is collected as soon as there is much of it", async () => {
  expect(await collected([5, 5, 5, 2, 1])).toEqual([false, true, false, false, true])
  expect(await collected([31, 1, 5], { most: 32 })).toEqual([false, true, false])
})

test("each step of a large container is collected, and none of a small one", async () => {
  expect(await collected([-15, -16, -15])).toEqual([false, true, false])
})

test("a process that holds much collects less often", async () => {
  // The engine itself collects once while so much is made.
  const [, ...later] = await collected([1, 8, 8, 60, 8], { ballast: 300 })
  expect(later).toEqual([false, false, true, false])
})
