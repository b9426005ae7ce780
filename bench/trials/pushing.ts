import { tmpdir } from "node:os"
import { join } from "node:path"
import { openStore, type PushResult } from "../../src/index.ts"
import { findPostgres } from "../../test/support/find-postgres.ts"
import { PostgresServer } from "../../test/support/postgres-server.ts"
import { type Context, scratchFolder } from "../context.ts"
import { makeStore } from "../data/store.ts"
import { interleave, ratio, sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const FILES = 12_000

/** What publishing a store to PostgreSQL takes: all of it, and when nothing has changed. */
export async function pushing(context: Context): Promise<Row[]> {
  const programs = findPostgres()
  if (programs === undefined) {
    console.error("There is no PostgreSQL here: nothing is pushed")
    return []
  }
  const directory = scratchFolder(context, "pushed")
  makeStore(directory, FILES)
  const server = new PostgresServer(programs, tmpdir(), ["fsync=on"])
  await server.start()
  try {
    const [{ version } = { version: "" }] = await server.sql(
      "select split_part(version(), ' ', 2) as version",
    )
    const note = `PostgreSQL ${version}`
    // Stamps that are too young prove nothing.
    await Bun.sleep(200)
    await sweep(directory)
    const rates: number[] = []
    for (let round = 0; round < context.rounds; round++) {
      const begun = performance.now()
      const folder = join(context.scratch, `machine-${round}`)
      const { records } = await push(directory, await server.database(), folder)
      rates.push(records / ((performance.now() - begun) / 1_000))
    }
    const url = await server.database()
    const folder = join(context.scratch, "machine")
    for (let times = 0; times < 2; times++) await push(directory, url, folder)
    const times = await interleave(context.rounds, {
      sweep: { run: () => sweep(directory) },
      push: {
        run: async () => {
          const { sessions } = await push(directory, url, folder)
          if (sessions.added + sessions.changed > 0) throw new Error("Something was pushed")
        },
      },
    })
    return [
      rowOf(`push of ${FILES} records`, "records/s", sampleOf(rates), { atLeast: 2_000 }, note),
      rowOf("push with nothing changed", "× a sweep", ratio(times.push, times.sweep), { atMost: 2 }, note),
    ]
  } finally {
    await server.remove()
  }
}

async function sweep(directory: string): Promise<void> {
  await using store = await openStore({ directory, backgroundIndex: false, search: "off" })
  await store.index()
}

async function push(directory: string, url: string, machineFolder: string): Promise<PushResult> {
  await using store = await openStore({ directory, backgroundIndex: false, search: "off" })
  const pushing = store.push(url, { machineFolder })
  let next = await pushing.next()
  while (!next.done) next = await pushing.next()
  return next.value
}
