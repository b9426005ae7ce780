import { tmpdir } from "node:os"
import { join } from "node:path"
import { openStore, postgres, type Store } from "../../src/index.ts"
import { findPostgres } from "../../test/support/find-postgres.ts"
import { PostgresServer } from "../../test/support/postgres-server.ts"
import { type Context, scratchFolder } from "../context.ts"
import { fillFleet, WORDS } from "../data/fleet.ts"
import { ratio, type Sample, sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

/** M takes some minutes to be made, for the most part by the text index. */
const SIZES = {
  S: { sessions: 500, messages: 50_000, machines: 8 },
  M: { sessions: 10_000, messages: 1_000_000, machines: 8 },
  L: { sessions: 10_000, messages: 1_000_000, machines: 8 },
} as const
const PAGE_MS = 20
const SEARCH_MS = 100

/** Reading what many machines published, beside the server. */
export async function fleet(context: Context): Promise<Row[]> {
  const programs = findPostgres()
  if (programs === undefined) {
    console.error("There is no PostgreSQL here: no fleet is read")
    return []
  }
  const size = SIZES[context.size]
  const server = new PostgresServer(programs, tmpdir(), ["max_wal_size=8GB"])
  await server.start()
  try {
    const url = await server.database()
    await fillFleet(server, url, size)
    const [{ version } = { version: "" }] = await server.sql(
      "select split_part(version(), ' ', 2) as version",
    )
    const note = `${size.sessions} sessions, ${size.messages} texts, PostgreSQL ${version}`
    const folder = scratchFolder(context, "fleet")
    await using store = await openStore({
      directory: join(folder, "none"),
      indexPath: join(folder, "index"),
      roots: [postgres(url)],
      backgroundIndex: false,
    })
    const rows = [
      rowOf(
        "a fleet's first page",
        "ms",
        await timed(context, () => store.sessions.page({ limit: 50 })),
        { atMost: PAGE_MS },
        note,
      ),
    ]
    for (const name of ["common", "frequent", "rare", "absent", "kanji"] as const) {
      const what = `a fleet's search, 50 hits at most, of ${name === "absent" ? "an" : "a"} ${name} word`
      const sample = await timed(context, () => hits(store, WORDS[name]))
      rows.push(rowOf(what, "ms", sample, { atMost: SEARCH_MS }, note))
    }
    const [ours, like] = [
      await timed(context, () => hits(store, WORDS.absent)),
      await timed(context, () => server.sql(likeOf(WORDS.absent), url)),
    ]
    rows.push(
      rowOf(
        "the same of an absent word",
        "× faster than ILIKE over the bodies of parts",
        ratio(like, ours),
        undefined,
        note,
      ),
    )
    const short = await timed(context, () => hits(store, WORDS.short))
    return [...rows, rowOf("a fleet's search of two letters that are nowhere", "ms", short, undefined, note)]
  } finally {
    await server.remove()
  }
}

/** What one asks who has the bodies in a database and no index of their texts. */
function likeOf(word: string): string {
  return `select body from sessiondex.part where body ilike '%${word}%' order by id desc limit 50`
}

async function hits(store: Store, word: string): Promise<number> {
  return (await Array.fromAsync(store.search(word, { in: "text", limit: 50 }))).length
}

/** Calls before any is counted: the first connect, and what they run is compiled. */
const WARM = 3

/** How long each of so many calls takes. */
async function timed({ rounds }: Context, work: () => Promise<unknown>): Promise<Sample> {
  const times: number[] = []
  for (let round = -WARM; round < rounds; round++) {
    const begun = performance.now()
    await work()
    if (round >= 0) times.push(performance.now() - begun)
  }
  return sampleOf(times)
}
