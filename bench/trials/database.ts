import * as fs from "node:fs"
import { join } from "node:path"
import { opencodeDatabase, openStore, type Store } from "../../src/index.ts"
import { newestSessions, searchParts } from "../baselines/database-queries.ts"
import { type Context, forgetIndex, inChild, scratchFolder } from "../context.ts"
import { makeDatabase } from "../data/database.ts"
import { LONG_SESSION, makeLongSession } from "../data/long-session.ts"
import { ABSENT, partsOf, pickWords, plantRareWord, RARE, sayWord, textOf } from "../data/words.ts"
import { interleave, ratio } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const LONG = 7_700
const PAGE = { limit: 50 } as const
/** One call takes some ms, so one alone is noise. */
const ITERATIONS = 9

/** opencode's database beside the JSON files of the same content. */
export async function database(context: Context): Promise<Row[]> {
  const { directory } = context
  const parts = partsOf(directory)
  plantRareWord(parts)
  const folder = scratchFolder(context, "database")
  const path = join(folder, "opencode.db")
  makeDatabase(directory, path)
  const indexed = join(folder, "indexed")
  return [
    ...(await texts(directory, path, indexed)),
    ...(await pages(context, path, indexed)),
    ...(await searches(context, path, indexed, pickWords(parts.slice(0, 2_000).map(textOf)))),
    ...(await longSession(context)),
  ]
}

/** The store's own folder is not there, so the database is all that is read. */
function openDatabase(path: string, indexPath: string): Promise<Store> {
  const directory = join(indexPath, "no-store")
  return openStore({ directory, indexPath, backgroundIndex: false, roots: [opencodeDatabase(path)] })
}

function openFiles(directory: string): Promise<Store> {
  return openStore({ directory, backgroundIndex: false })
}

async function texts(directory: string, path: string, indexPath: string): Promise<Row[]> {
  const index = async (opening: Promise<Store>): Promise<void> => {
    await using store = await opening
    await store.index()
  }
  const forget = (): void => fs.rmSync(indexPath, { recursive: true, force: true })
  // Once is enough for what takes as long as all the rest.
  const first = await interleave(1, {
    files: { before: () => forgetIndex(directory), run: () => index(openFiles(directory)) },
    database: { before: forget, run: () => index(openDatabase(path, indexPath)) },
  })
  const second = await interleave(1, {
    files: { run: () => index(openFiles(directory)) },
    database: { run: () => index(openDatabase(path, indexPath)) },
  })
  return [
    rowOf(
      "a database's first index with texts",
      "× the JSON store's",
      ratio(first.database, first.files),
      { atMost: 1 },
      "once",
    ),
    rowOf("its second", "× the JSON store's", ratio(second.database, second.files), undefined, "once"),
  ]
}

async function pages({ directory, rounds }: Context, path: string, indexPath: string): Promise<Row[]> {
  const firstPage = async (opening: Promise<Store>): Promise<void> => {
    await using store = await opening
    const { items } = await store.sessions.page(PAGE)
    if (items.length === 0) throw new Error("A page of nothing")
  }
  await using files = await openFiles(directory)
  await using database = await openDatabase(path, indexPath)
  const cursors = new Map<Store, string | undefined>()
  for (const store of [files, database])
    cursors.set(store, (await store.sessions.page(PAGE)).older ?? undefined)
  const later = (store: Store) => store.sessions.page({ ...PAGE, cursor: cursors.get(store) })
  const first = await interleave(rounds, {
    files: { run: () => firstPage(openFiles(directory)) },
    database: { run: () => firstPage(openDatabase(path, indexPath)) },
    query: { run: () => newestSessions(path, PAGE.limit) },
  })
  const next = await interleave(
    rounds,
    { files: { run: () => later(files) }, database: { run: () => later(database) } },
    ITERATIONS,
  )
  return [
    rowOf("first page of 50 of a database, its opening included", "ms", first.database, { atMost: 50 }),
    rowOf("the same", "× the JSON store's", ratio(first.database, first.files)),
    rowOf("the same", "× a query of one's own", ratio(first.database, first.query)),
    rowOf("page of 50 of a database, with a cursor", "× the JSON store's", ratio(next.database, next.files), {
      atMost: 1.2,
    }),
  ]
}

async function searches(
  { directory, rounds }: Context,
  path: string,
  indexPath: string,
  { common, two }: { common: string; two: string },
): Promise<Row[]> {
  await using files = await openFiles(directory)
  await using database = await openDatabase(path, indexPath)
  for (const store of [files, database]) await store.index()
  const rows: Row[] = []
  for (const [name, query] of Object.entries({ common, rare: RARE, absent: ABSENT, two })) {
    const search = (store: Store) => Array.fromAsync(store.search(query, { limit: 50, in: "text" }))
    const times = await interleave(
      rounds,
      { files: { run: () => search(files) }, database: { run: () => search(database) } },
      ITERATIONS,
    )
    // It goes through all parts, so once a round is enough.
    const [word = ""] = query.split(" ")
    const beside = await interleave(rounds, {
      database: { run: () => search(database) },
      like: { run: () => searchParts(path, word, 50) },
    })
    const what = `search of a database, first 50 hits of ${sayWord(name)}`
    rows.push(
      rowOf(what, "× the JSON store's", ratio(times.database, times.files)),
      rowOf(what, "× faster than LIKE over all parts", ratio(beside.like, beside.database)),
    )
  }
  return rows
}

async function longSession(context: Context): Promise<Row[]> {
  const directory = scratchFolder(context, "long")
  makeLongSession(directory, LONG)
  const path = join(scratchFolder(context, "long-database"), "opencode.db")
  makeDatabase(directory, path)
  await Bun.sleep(200)
  await using files = await openFiles(directory)
  await using database = await openDatabase(path, join(path, "..", "indexed"))
  await files.messages.count(LONG_SESSION)
  const newest = (store: Store) => Array.fromAsync(store.messages.stream(LONG_SESSION, { limit: 100 }))
  const all = async (store: Store): Promise<void> => {
    for await (const _ of store.messages.stream(LONG_SESSION));
  }
  const hundred = await interleave(
    context.rounds,
    { files: { run: () => newest(files) }, database: { run: () => newest(database) } },
    ITERATIONS,
  )
  const whole = await interleave(context.rounds, {
    files: { run: () => all(files) },
    database: { run: () => all(database) },
  })
  const idle = await inChild<{ peak: number }>("idle")
  const streamed = await inChild<{ peak: number }>("stream database", path)
  return [
    rowOf(
      "newest 100 messages with parts of 7,700 in a database",
      "× faster than JSON files",
      ratio(hundred.files, hundred.database),
      { atLeast: 1 },
    ),
    rowOf("all of them streamed", "× faster than JSON files", ratio(whole.files, whole.database)),
    rowOf("memory of streaming them", "MB above idle", streamed.peak - idle.peak, { atMost: 40 }),
  ]
}
