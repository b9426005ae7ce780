import { openStore } from "../../src/index.ts"
import { type Context, forgetIndex, inChild, scratchFolder } from "../context.ts"
import { makeStore, SIZES, type Size } from "../data/store.ts"
import { interleave, type Sample, sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"
import { LOOKED_AT, wholeStoreCalls } from "./whole-store.ts"

interface Sized {
  readonly size: Size
  readonly directory: string
  readonly files: number
}

/** What single calls and the whole index cost as the store grows from S to the size of this run. */
export async function growing(context: Context): Promise<Row[]> {
  const sizes = (["S", "M", "L"] as const).slice(0, ["S", "M", "L"].indexOf(context.size) + 1)
  const stores: Sized[] = []
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
  for (const store of stores) {
    const { perFile, peak } = await indexingCosts(store)
    peaks.push(peak)
    costs.push({
      perFile,
      calls: { ...(await singleCalls(context, store)), ...(await wholeStoreCalls(context, store.directory)) },
    })
  }
  const [small] = costs
  const large = costs.at(-1)
  if (!small || !large) throw new Error("No store was measured")
  const from = `S to ${context.size}`
  const names = Object.keys(large.calls) as (keyof typeof large.calls)[]
  const growth = names
    .filter((name) => !name.startsWith("a bare look"))
    .map((name) => {
      const times = large.calls[name].median / small.calls[name].median
      return rowOf(`${name}, as the store grows from ${from}`, "× dearer", times, { atMost: 1.5 })
    })
  const beside = Object.entries(LOOKED_AT).flatMap(([floor, those]) =>
    those.map((name) => {
      const looks = large.calls[floor as keyof typeof LOOKED_AT].median
      return rowOf(
        `${name} of a store of size ${context.size}`,
        `× ${floor}`,
        large.calls[name].median / looks,
      )
    }),
  )
  const index = sampleOf([large.perFile / small.perFile])
  const [, medium, largest] = peaks
  return [
    ...growth,
    ...beside,
    rowOf(`index per file, as the store grows from ${from}`, "× dearer", index.median, { atMost: 1.2 }),
    ...(medium !== undefined && largest !== undefined
      ? [rowOf("peak memory of a first index, L beside M", "×", largest / medium, { atMost: 1.1 })]
      : []),
  ]
}

async function indexingCosts({ directory, files }: Sized): Promise<{ perFile: number; peak: number }> {
  forgetIndex(directory)
  const index = async (): Promise<void> => {
    await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
    await store.index()
  }
  const { first } = await interleave(3, { first: { before: () => forgetIndex(directory), run: index } })
  forgetIndex(directory)
  const { peak } = await inChild<{ peak: number }>("index", directory)
  return { perFile: first.median / files, peak }
}

/** Calls that need not grow with the store. */
async function singleCalls({ rounds }: Context, { directory }: Sized) {
  await using store = await openStore({ directory, backgroundIndex: false, search: "titles" })
  const sessions = await Array.fromAsync(store.sessions.ids({ projectID: "project0", limit: 1 }))
  const id = sessions[0] ?? ""
  const calls: Record<"page" | "count" | "get" | "open", Sample> = await interleave(
    rounds,
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
  return calls
}
