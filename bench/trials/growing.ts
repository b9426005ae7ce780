import { openStore } from "../../src/index.ts"
import { type Context, forgetIndex, inChild, scratchFolder } from "../context.ts"
import { makeStore, SIZES, type Size } from "../data/store.ts"
import { interleave, sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

/** What single calls and the whole index cost as the store grows from S to the size of this run. */
export async function growing(context: Context): Promise<Row[]> {
  const sizes = (["S", "M", "L"] as const).slice(0, ["S", "M", "L"].indexOf(context.size) + 1)
  const stores: { size: Size; directory: string; files: number }[] = []
  for (const size of sizes) {
    if (size === context.size) stores.push(context)
    else {
      const directory = scratchFolder(context, `size-${size}`)
      stores.push({ size, directory, files: makeStore(directory, SIZES[size]) })
    }
  }
  await Bun.sleep(200)
  const costs = []
  const peaks: number[] = []
  for (const { directory, files } of stores) {
    forgetIndex(directory)
    const index = async (): Promise<void> => {
      await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
      await store.index()
    }
    const { first } = await interleave(3, { first: { before: () => forgetIndex(directory), run: index } })
    forgetIndex(directory)
    peaks.push((await inChild<{ peak: number }>("index", directory)).peak)
    await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
    const sessions = await Array.fromAsync(store.sessions.ids({ projectID: "project0", limit: 1 }))
    const id = sessions[0] ?? ""
    const calls = await interleave(
      context.rounds,
      {
        page: { run: () => store.messages.page(id, { limit: 20 }) },
        count: { run: () => store.messages.count(id) },
        get: { run: () => store.sessions.get(id) },
        open: {
          run: async () => {
            await using opened = await openStore({ directory, backgroundIndex: false })
            await opened.messages.count(id)
          },
        },
      },
      20,
    )
    costs.push({ perFile: first.median / files, ...calls })
  }
  const [small] = costs
  const large = costs.at(-1)
  if (!small || !large) throw new Error("No store was measured")
  const from = `S to ${context.size}`
  const growth = (["page", "count", "get", "open"] as const).map((call) =>
    rowOf(`${call}, as the store grows from ${from}`, "× dearer", large[call].median / small[call].median, {
      atMost: 1.5,
    }),
  )
  const index = sampleOf([large.perFile / small.perFile])
  const [, medium, largest] = peaks
  return [
    ...growth,
    rowOf(`index per file, as the store grows from ${from}`, "× dearer", index.median, { atMost: 1.2 }),
    ...(medium !== undefined && largest !== undefined
      ? [rowOf("peak memory of a first index, L beside M", "×", largest / medium, { atMost: 1.1 })]
      : []),
  ]
}
