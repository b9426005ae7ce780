import * as fs from "node:fs"
import { join } from "node:path"
import { fileSystem } from "../../src/file/system.ts"
import { openStore, type Store } from "../../src/index.ts"
import { claudeCode } from "../../src/root/transcript/agents/claude-code.ts"
import { transcriptRoot } from "../../src/root/transcript/transcript-root.ts"
import { newestByParsing, parseEveryLine, searchByParsing, transcriptsOf } from "../baselines/parse-all.ts"
import { type Context, inChild, scratchFolder } from "../context.ts"
import { type Home, LARGEST, makeHome, saidLine } from "../data/transcripts.ts"
import { ABSENT, pickWords, RARE, sayWord } from "../data/words.ts"
import { interleave, ratio, type Sample, sampleOf } from "../measure.ts"
import { type Row, rowOf } from "../report.ts"

const PAGE = { limit: 50 } as const
/** One call takes some ms, so one alone is noise. */
const ITERATIONS = 9
/** How long after it was written a file's stamp proves what it holds, in ms. */
const SETTLING = 300
/** How long the watch may leave a transcript alone after it was looked at, in ms. */
const RESTING = 2_000

/** A home of Claude Code's transcripts, read in place. */
export async function transcripts(context: Context): Promise<Row[]> {
  const home = makeHome(scratchFolder(context, "home"), context.size)
  const paths = transcriptsOf(home.place)
  await Bun.sleep(SETTLING)
  return [
    ...(await unindexed(context, home)),
    ...(await indexing(context, home, paths)),
    ...(await memory(home)),
    ...(await pages(context, home, paths)),
    ...(await searches(context, home)),
    ...(await largest(context, home)),
  ]
}

function indexOf({ place }: Home): string {
  return `${place}-index`
}

/** The store's own folder is not there, so the transcripts are all that is read. */
function openHome(home: Home, fs = fileSystem, watch = false): Promise<Store> {
  const roots = [transcriptRoot(claudeCode, home.place, { fs })]
  return openStore({
    directory: `${home.place}-none`,
    indexPath: indexOf(home),
    backgroundIndex: false,
    watch,
    roots,
  })
}

function forget(home: Home): void {
  fs.rmSync(indexOf(home), { recursive: true, force: true })
}

async function unindexed({ rounds }: Context, home: Home): Promise<Row[]> {
  let store: Store | undefined
  const page = async (): Promise<void> => {
    store = await openHome(home)
    const { items } = await store.sessions.page(PAGE)
    if (items.length !== PAGE.limit) throw new Error("A page that is not full")
  }
  // Closing puts what was read for the page.
  const before = async (): Promise<void> => {
    await store?.close()
    forget(home)
  }
  const { first } = await interleave(rounds, { first: { before, run: page } })
  await store?.close()
  return [
    rowOf("first page of 50 of transcripts nobody indexed, its opening included", "ms", first, {
      atMost: 100,
    }),
  ]
}

async function indexing(_: Context, home: Home, paths: readonly string[]): Promise<Row[]> {
  const index = async (): Promise<void> => {
    await using store = await openHome(home)
    await store.index()
  }
  // Once is enough for what takes as long as all the rest.
  const { floor, first, second } = await interleave(1, {
    floor: { run: () => parseEveryLine(paths) },
    first: { before: () => forget(home), run: index },
    second: { run: index },
  })
  return [
    rowOf(
      "first index of transcripts with texts",
      "× reading and parsing every line",
      ratio(first, floor),
      { atMost: 3 },
      "once",
    ),
    rowOf("their second index", "× reading and parsing every line", ratio(second, floor), undefined, "once"),
    rowOf("their index", "% of their bytes", (100 * bytesOf(indexOf(home))) / home.bytes),
  ]
}

function bytesOf(folder: string): number {
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
  return names.reduce((sum, name) => sum + fs.statSync(join(folder, name)).size, 0)
}

async function memory(home: Home): Promise<Row[]> {
  const peak = await inChild<{ peak: number }>("index transcripts", home.place)
  return [rowOf("peak memory of a first index of transcripts with texts", "MB", peak.peak, { atMost: 150 })]
}

async function pages({ rounds }: Context, home: Home, paths: readonly string[]): Promise<Row[]> {
  await using store = await openHome(home)
  const times = await interleave(
    rounds,
    {
      looks: {
        run: () => {
          for (const path of paths) fs.lstatSync(path)
        },
      },
      ours: { run: () => store.sessions.page(PAGE) },
    },
    ITERATIONS,
  )
  const beside = await interleave(1, {
    reader: { run: () => newestByParsing(home.place, PAGE.limit) },
    ours: { run: () => store.sessions.page(PAGE) },
  })
  return [
    rowOf("page of 50 of indexed transcripts", "× a bare look at each", ratio(times.ours, times.looks), {
      atMost: 2,
    }),
    rowOf(
      "the same, beside a reader that parses everything",
      "× faster",
      ratio(beside.reader, constant(times.ours, 1)),
      { atLeast: 50 },
      "the reader once",
    ),
  ]
}

/** The median in so many rounds. */
function constant({ median }: Sample, rounds: number): Sample {
  return sampleOf(new Array<number>(rounds).fill(median))
}

async function searches({ rounds }: Context, home: Home): Promise<Row[]> {
  await using store = await openHome(home)
  const texts: string[] = []
  for await (const { parts } of store.messages.stream(LARGEST, { limit: 200 }))
    for (const part of parts) if ("text" in part && typeof part.text === "string") texts.push(part.text)
  const { common, two } = pickWords(texts)
  const rows: Row[] = []
  for (const [name, query] of Object.entries({ common, rare: RARE, absent: ABSENT, two })) {
    const search = () => Array.fromAsync(store.search(query, { limit: 50, in: "text" }))
    const { ours } = await interleave(rounds, { ours: { run: search } }, ITERATIONS)
    const { reader } = await interleave(1, { reader: { run: () => searchByParsing(home.place, query, 50) } })
    rows.push(
      rowOf(
        `search of transcripts, first 50 hits of ${sayWord(name)}`,
        "× faster than parsing everything",
        ratio(reader, constant(ours, 1)),
        { atLeast: 100 },
        `${Number(ours.median.toPrecision(3))} ms; the reader once`,
      ),
    )
  }
  return rows
}

/** The largest transcript: its end, and what comes to it. */
async function largest({ rounds }: Context, home: Home): Promise<Row[]> {
  let bytes = 0
  const counting: typeof fileSystem = {
    ...fileSystem,
    readAt(descriptor, into, position) {
      const length = fileSystem.readAt(descriptor, into, position)
      bytes += length
      return length
    },
  }
  await using store = await openHome(home, counting)
  const newest = () => Array.fromAsync(store.messages.stream(LARGEST, { limit: 100 }))
  const { hundred } = await interleave(rounds, { hundred: { run: newest } }, ITERATIONS)
  const append = appender(home)
  const seen = async (store: Store): Promise<void> => {
    const uuid = await append()
    bytes = 0
    const [message] = await Array.fromAsync(store.messages.stream(LARGEST, { limit: 1 }))
    if (!message?.info.id.endsWith(uuid)) throw new Error("What was appended is not listed")
  }
  const times: number[] = []
  const read: number[] = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    await seen(store)
    times.push(performance.now() - start)
    read.push(bytes / 1e6)
    await Bun.sleep(SETTLING)
  }
  await using another = await openHome(home, counting)
  await seen(another)
  await store.close()
  const told = await watched(home, append, rounds)
  return [
    rowOf("newest 100 messages of the largest transcript", "ms", hundred, { atMost: 50 }),
    rowOf("read until a message appended to it is listed", "MB", sampleOf(read), { atMost: 1 }),
    rowOf("the same in a process that never read it", "MB", bytes / 1e6, { atMost: 1 }),
    rowOf("time until a message appended to it is listed", "ms", sampleOf(times), { atMost: 200 }),
    rowOf("time until the watch tells of a message appended to it", "ms", told, { atMost: 200 }),
  ]
}

/** How long it takes until a store that watches tells of what is appended to the largest transcript, once it has rested. */
async function watched(home: Home, append: () => Promise<string>, rounds: number): Promise<Sample> {
  await using store = await openHome(home, fileSystem, true)
  while (store.health().watch.state === "starting") await Bun.sleep(10)
  const changes = store.changes()[Symbol.asyncIterator]()
  const times: number[] = []
  // The first one after a start goes on from what was written down.
  for (let round = -1; round < rounds; round++) {
    await Bun.sleep(RESTING)
    const start = performance.now()
    const uuid = await append()
    for (let isTold = false; !isTold; ) {
      const { value, done } = await changes.next()
      if (done) throw new Error("The watch ended")
      isTold = value.messageID?.endsWith(uuid) ?? value.type === "unknown"
    }
    if (round >= 0) times.push(performance.now() - start)
  }
  await changes.return?.(undefined)
  return sampleOf(times)
}

/** Appends messages to the largest transcript, each going on from the last. */
function appender({ largest }: Home): () => Promise<string> {
  const text = fs.readFileSync(largest)
  let parent: string | null = null
  for (let end = text.length - 1, at = 0; parent === null && end > 0; end = at) {
    at = text.lastIndexOf(10, end - 1)
    const line = JSON.parse(text.toString("utf8", at + 1, end))
    if (line.type === "assistant") parent = line.uuid
  }
  let appended = 0
  return async () => {
    const uuid = `appended-${appended++}`
    fs.appendFileSync(largest, saidLine(LARGEST, parent, uuid, `Message ${appended}`))
    parent = uuid
    return uuid
  }
}
