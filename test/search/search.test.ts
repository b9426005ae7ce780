import { Database } from "bun:sqlite"
import { describe, expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { fileSystem } from "../../src/file/system.ts"
import { openStore, type SearchHit, type SearchOptions } from "../../src/index.ts"
import { resolveOptions } from "../../src/options.ts"
import { fold } from "../../src/record/fold.ts"
import { parseQuery } from "../../src/record/search-query.ts"
import { cleanText } from "../../src/record/search-text.ts"
import { Store } from "../../src/store.ts"
import { message, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"
import { INDEX, variants } from "../support/variants.ts"

async function find(store: Store, query: string, options: SearchOptions = {}): Promise<SearchHit[]> {
  return Array.fromAsync(store.search(query, { limit: 1000, ...options }))
}

const ids = (hits: readonly SearchHit[]): (string | undefined)[] =>
  hits.map(({ messageID, sessionID }) => messageID ?? sessionID)

function text(directory: string, messageID: string, partID: string, content: string): void {
  put(directory, `part/${messageID}/${partID}.json`, { type: "text", text: content })
}

function fill(directory: string): void {
  put(
    directory,
    "session/p1/ses_1.json",
    session("ses_1", { projectID: "p1", title: "The Parser", time: { created: 1, updated: 5_000_000 } }),
  )
  put(
    directory,
    "session/p2/ses_2.json",
    session("ses_2", { projectID: "p2", title: "Other things", time: { created: 1, updated: 1_000 } }),
  )
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1_000_000))
  put(
    directory,
    "message/ses_1/msg_2.json",
    message("msg_2", "ses_1", 2_000_000, { role: "assistant" } as object),
  )
  put(directory, "message/ses_2/msg_3.json", message("msg_3", "ses_2", 3_000_000))
  text(directory, "msg_1", "prt_1", "alpha beta, the parser")
  text(directory, "msg_1", "prt_2", "gamma Straße ΑΣΣΟΣ")
  text(directory, "msg_3", "prt_1", 'beta gamma 100% under_score it\'s "quoted" NEAR( AND')
  const state = {
    status: "completed",
    input: { command: "grep delta", nested: [{ deep: "epsilon" }] },
    output: "\u{1b}[31mred\u{1b}[0m out\0put",
    metadata: { output: "secretmeta" },
  }
  put(directory, "part/msg_2/prt_1.json", { type: "tool", tool: "bash", state })
  put(directory, "part/msg_2/prt_2.json", { type: "patch", hash: "x", files: ["src/theta.ts"] })
  put(directory, "part/msg_2/prt_3.json", {
    type: "text",
    text: `image data:image/png;base64,${"QUJD".repeat(20)} end`,
  })
  put(directory, "session_share/ses_1.json", { id: "x", secret: "topsecret", url: "u" })
}

for (const { name, open } of variants.slice(0, 3))
  describe(name, () => {
    const cases: [string, SearchOptions, string[]][] = [
      ["beta", {}, ["msg_3", "msg_1"]],
      ["BETA gamma", {}, ["msg_3", "msg_1"]],
      ["alpha gamma", {}, ["msg_1"]],
      ["gamma -alpha", {}, ["msg_3"]],
      ["parser", {}, ["ses_1", "msg_1"]],
      ["parser", { in: "title" }, ["ses_1"]],
      ["parser", { in: "text" }, ["msg_1"]],
      ['"beta gamma"', {}, ["msg_3"]],
      ['"beta', {}, []],
      ['"quoted"', { in: "text" }, ["msg_3"]],
      ["100%", {}, ["msg_3"]],
      ["r_s", {}, ["msg_3"]],
      ["rxs", {}, []],
      ["NEAR( AND", {}, ["msg_3"]],
      ["it's", {}, ["msg_3"]],
      ["b*", {}, []],
      ["σσος", {}, ["msg_1"]],
      ["STRASSE", {}, []],
      ["straße", {}, ["msg_1"]],
      ["delta epsilon", {}, ["msg_2"]],
      ["red output", {}, ["msg_2"]],
      ["theta.ts", {}, ["msg_2"]],
      ["secretmeta", {}, []],
      ["topsecret", {}, []],
      ["QUJDQUJD", {}, []],
      ["image end", {}, ["msg_2"]],
      ["a", { role: "assistant" }, ["msg_2"]],
      ["a", { type: "patch" }, ["msg_2"]],
      ["e", { tool: "bash" }, ["msg_2"]],
      ["beta", { projectID: "p1" }, ["msg_1"]],
      ["beta", { sessionID: "ses_2" }, ["msg_3"]],
      ["beta", { since: 2_000_000 }, ["msg_3"]],
      ["beta", { until: 2_000_000 }, ["msg_1"]],
      ["", {}, []],
      ["-beta", {}, []],
    ]
    test.each(cases)("search %j %j", async (query, options, expected) => {
      await using store = await open(tempFolder())
      fill(store.directory)
      expect(ids(await find(store, query, options))).toEqual(expected)
    })

    test("what this module wrote is found at once, what it replaced is not", async () => {
      await using store = await open(tempFolder())
      fill(store.directory)
      expect(await find(store, "beta")).toHaveLength(2)
      await store.parts.update("prt_2", (part) => Object.assign(part, { text: "brandnew" }))
      await store.messages.write(message("msg_9", "ses_2", 9_000_000))
      await store.parts.write({
        id: "prt_9",
        messageID: "msg_9",
        sessionID: "ses_2",
        type: "text",
        text: "brandnew too",
      })
      const found = ids(await find(store, "brandnew"))
      expect(found[0]).toBe("msg_9")
      expect(found).toHaveLength(2)
      await store.messages.remove("msg_9")
      await store.sessions.remove("ses_1")
      expect(ids(await find(store, "brandnew too"))).toEqual([])
      expect(ids(await find(store, "parser"))).toEqual([])
    })

    test("limits, time-outs and going on behind a hit", async () => {
      await using store = await open(tempFolder())
      for (let i = 0; i < 30; i++) {
        put(
          store.directory,
          `message/ses_1/msg_${10 + i}.json`,
          message(`msg_${10 + i}`, "ses_1", 1_000_000 + (i >> 2) * 700),
        )
        text(store.directory, `msg_${10 + i}`, "prt_1", "common word")
      }
      const whole = ids(await find(store, "common"))
      expect(whole).toEqual(Array.from({ length: 30 }, (_, i) => `msg_${39 - i}`))
      const paged: (string | undefined)[] = []
      let after: SearchHit | undefined
      for (;;) {
        const hits = await find(store, "common", { limit: 7, after })
        paged.push(...ids(hits))
        after = hits.at(-1)
        if (!after) break
      }
      expect(paged).toEqual(whole)
      const ends = async (options: SearchOptions) => {
        const hits = store.search("common", options)
        for (let next = await hits.next(); ; next = await hits.next()) if (next.done) return next.value
      }
      expect(await ends({ limit: 30 })).toEqual({ partial: false })
      expect(await ends({ limit: 29 })).toEqual({ partial: true, reason: "limit" })
      expect(await ends({ timeout: 0 })).toEqual({ partial: true, reason: "timeout" })
    })

    test("a text of two million letters is found at its beginning, its end, and in between", async () => {
      await using store = await open(tempFolder())
      put(store.directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1_000_000))
      const filler = "x ".repeat(499_998)
      text(store.directory, "msg_1", "prt_1", `beginning ${filler}acrosstheborder ${filler} theend`)
      for (const query of ["beginning", "acrosstheborder", "theend", "beginning theend", "border"])
        expect(ids(await find(store, query))).toEqual(["msg_1"])
      expect(await find(store, "absent")).toEqual([])
      expect(await find(store, "beginning absent")).toEqual([])
    })
  })

const [sqlite, scan] = variants
if (!sqlite || !scan) throw new Error("There are two catalogs")

/** Letters that fold, compose, need surrogates, or mean something to SQLite. */
const letter = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(..."abcAB ςσΣßİıéÉe\u{301}漢字🙂𝒳%_*\"'-()\n") },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
)
const words = fc.array(letter, { maxLength: 40 }).map((letters) => letters.join(""))

test("for random texts and queries the hits are those of a plain substring scan over the same folded texts", async () => {
  let queries = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(words, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 12 }), words), {
        minLength: 8,
        maxLength: 8,
      }),
      async (documents, wanted) => {
        const directory = tempFolder()
        for (const [m, parts] of documents.entries()) {
          put(directory, `message/ses_1/msg_${m}.json`, message(`msg_${m}`, "ses_1", 1_000_000 + m * 400))
          for (const [p, content] of parts.entries()) text(directory, `msg_${m}`, `prt_${p}`, content)
        }
        await using indexed = await sqlite.open(directory)
        await using scanned = await scan.open(directory)
        const folded = documents.map((parts) => parts.map((content) => fold(cleanText(content))))
        for (const [d, from, length, own] of wanted) {
          // A piece of one of the texts, or something else altogether.
          const letters = [...(folded[d % folded.length]?.[0] ?? "")]
          const piece = letters
            .slice(from % (letters.length + 1))
            .slice(0, length)
            .join("")
          for (const query of [piece, own]) {
            const { wanted: terms, excluded } = parseQuery(query)
            const has = (texts: string[], term: string): boolean =>
              texts.some((content) => content.includes(term))
            const expected = folded
              .flatMap((texts, m) =>
                terms.length > 0 &&
                terms.every((term) => has(texts, term)) &&
                !excluded.some((term) => has(texts, term))
                  ? [`msg_${m}`]
                  : [],
              )
              .reverse()
            queries++
            for (const store of [indexed, scanned]) {
              const hits = await find(store, query)
              expect({ query, found: ids(hits) }).toEqual({ query, found: expected })
              for (const { snippet, ranges } of hits)
                for (const [start, end] of ranges) {
                  const marked = fold(snippet.slice(start, end))
                  expect(terms.some((term) => marked.includes(term) || term.includes(marked))).toBe(true)
                }
            }
          }
        }
      },
    ),
    { numRuns: 40 },
  )
  expect(queries).toBe(40 * 16)
}, 60_000)

test("hostile queries find nothing, throw nothing and tell nothing of SQL", async () => {
  await using store = await sqlite.open(tempFolder())
  fill(store.directory)
  const hostile = [
    '"',
    '""',
    '"""',
    "'",
    "\\",
    "*",
    "^",
    "a*",
    "col:x",
    "{a b}:c",
    "NEAR(",
    "NEAR(a b, 2)",
    "AND",
    "OR OR",
    "NOT",
    "a AND",
    "(",
    ")",
    "a + b",
    "; drop table texts; --",
    "' or 1=1 --",
    "%00",
    "\0",
    "\u{0}abc",
    "\ud800",
    "\udfff x",
    "-",
    "--",
    "- -",
    '-"',
    "\u{202e}",
    "🙂".repeat(300),
    "x".repeat(100_000),
    "a ".repeat(2_000),
    "\n\t ",
    "$" + "{1}",
    "?",
    "?1",
    ":a",
    "@a",
    "$a",
  ]
  for (const query of hostile)
    for (const place of ["title", "text", "all"] as const) {
      const hits = await find(store, query, { in: place })
      expect(JSON.stringify(hits)).not.toMatch(/sqlite|fts5/i)
    }
  expect(ids(await find(store, "beta"))).toEqual(["msg_3", "msg_1"])
})

test("a part that is rewritten 200 times does not make the index grow, and its old texts are not found", async () => {
  const directory = tempFolder()
  const filler = (seed: number): string =>
    Array.from({ length: 400 }, (_, i) => `w${(i * 7919 + seed) % 9973}`).join(" ")
  for (let m = 0; m < 40; m++) {
    put(directory, `message/ses_1/msg_${m}.json`, message(`msg_${m}`, "ses_1", m * 1000))
    text(directory, `msg_${m}`, "prt_1", filler(m))
  }
  // The file alone, with its WAL moved into it by closing.
  const size = (): number => fs.statSync(join(directory, INDEX)).size
  const rewrite = async (from: number, to: number): Promise<void> => {
    await using store = await sqlite.open(directory)
    for (let version = from; version <= to; version++) {
      await store.parts.update(["part", "msg_0", "prt_1"], (part) =>
        Object.assign(part, { text: `version${version} ${filler(version)}` }),
      )
      // Far more often than texts are caught up with.
      if (version % 10 === 0) await store.index()
    }
    await store.index()
  }
  await rewrite(0, 1)
  const before = size()
  await rewrite(1, 200)
  const after = size()
  console.log(`index: ${before} bytes before, ${after} bytes after 200 rewrites of one part in 40`)
  expect(after).toBeLessThan(before * 1.5)
  await using store = await sqlite.open(directory)
  expect(ids(await find(store, "version200"))).toEqual(["msg_0"])
  for (const version of [1, 50, 199]) expect(await find(store, `"version${version} "`)).toEqual([])
})

test("killed while it catches up, nothing is found twice and nothing missed", async () => {
  const directory = tempFolder()
  for (let m = 0; m < 120; m++) {
    put(directory, `message/ses_1/msg_${m}.json`, message(`msg_${m}`, "ses_1", m * 1000))
    text(directory, `msg_${m}`, "prt_1", `common word ${m}`)
  }
  await Bun.sleep(150)
  const root = join(import.meta.dir, "../..")
  const run = async (at: number): Promise<{ steps: number; signal: unknown }> => {
    const script = `import { openStore } from "./src/index.ts"
      import { stepThroughSqlite } from "./test/support/sqlite-steps.ts"
      let steps = 0
      stepThroughSqlite(() => {
        if (++steps === ${at}) process.kill(process.pid, "SIGKILL")
      })
      await using store = await openStore({ directory: ${JSON.stringify(directory)}, backgroundIndex: false })
      await store.index()
      console.log(steps)`
    const child = Bun.spawn(["bun", "-e", script], { cwd: root, stdout: "pipe", stderr: "inherit" })
    const steps = Number(await new Response(child.stdout).text())
    await child.exited
    return { steps, signal: child.signalCode }
  }
  const { steps } = await run(0)
  const forget = (): void => fs.rmSync(join(directory, ".sessiondex"), { recursive: true })
  forget()
  let killed = 0
  // The texts come last.
  for (const part of [0.6, 0.75, 0.9, 0.97]) {
    if ((await run(Math.floor(steps * part))).signal === "SIGKILL") killed++
    await using store = await sqlite.open(directory)
    expect(ids(await find(store, "common"))).toEqual(Array.from({ length: 120 }, (_, i) => `msg_${119 - i}`))
    await store.close()
    forget()
  }
  expect(killed).toBe(4)
})

test("texts are caught up with in the background, those that change meanwhile too", async () => {
  const directory = tempFolder()
  fill(directory)
  await using store = await sqlite.open(directory, { backgroundIndex: true })
  await store.parts.write({
    id: "prt_9",
    messageID: "msg_1",
    sessionID: "ses_1",
    type: "text",
    text: "later",
  })
  const pending = (): number | undefined => {
    const database = new Database(join(directory, INDEX), { readonly: true })
    const row = database
      .query<{ n: number }, []>("select count(*) as n from messages where pending <> 0")
      .get()
    database.close()
    return row?.n
  }
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 300 && pending() !== 0; i++) await Bun.sleep(20)
    expect(pending()).toBe(0)
  }
  while (store.health().backgroundIndex.state !== "done") await Bun.sleep(5)
  await settle()
  for (const text of ["again", "and again"]) {
    await store.parts.update(["part", "msg_1", "prt_9"], (part) => Object.assign(part, { text }))
    expect(pending()).toBe(1)
    await settle()
  }
})

test("a search finds what the background indexing could not put into an index that came later", async () => {
  const directory = tempFolder()
  const indexPath = join(tempFolder(), "index")
  fs.writeFileSync(indexPath, "in the way")
  put(directory, "session/p/ses_1.json", session("ses_1"))
  put(directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  text(directory, "msg_1", "prt_1", "needle")
  await using store = await openStore({ directory, indexPath })
  while (store.health().backgroundIndex.state !== "failed") await Bun.sleep(5)
  fs.rmSync(indexPath)
  while (store.health().index.state !== "ready") {
    await Bun.sleep(50)
    await store.sessions.page()
  }
  expect(await find(store, "needle")).toMatchObject([{ partID: "prt_1" }])
  fs.rmSync(indexPath, { recursive: true })
  expect(await find(store, "needle")).toMatchObject([{ partID: "prt_1" }])
})

test("a part that could not be read while texts were caught up with is found once it can", async () => {
  const directory = tempFolder()
  fill(directory)
  text(directory, "msg_1", "prt_refused", "needle")
  // A message with texts of its own is read for them once its rows and those of its parts are put.
  const own = { summary: { diffs: [{ file: "a.ts", before: "", after: "" }] } }
  put(directory, "message/ses_1/msg_1.json", { ...message("msg_1", "ses_1", 1), ...own })
  let catchingUp = false
  let refused = 0
  const store = new Store(resolveOptions({ directory, backgroundIndex: false }), {
    fs: {
      ...fileSystem,
      openFile(path) {
        if (catchingUp && path.endsWith("prt_refused.json") && refused++ >= 0)
          throw Object.assign(new Error("no more descriptors"), { code: "EMFILE" })
        return fileSystem.openFile(path)
      },
    },
  })
  await store.index({
    onProgress: ({ kind, done, total }) => {
      catchingUp ||= kind === "part" && done === total
    },
  })
  expect(refused).toBeGreaterThan(0)
  catchingUp = false
  expect(ids(await find(store, "needle"))).toEqual(["msg_1"])
  await store.index()
  expect(ids(await find(store, "needle"))).toEqual(["msg_1"])
  await store.close()
})

test("search can be off or for titles alone, and turning it on catches up", async () => {
  const directory = tempFolder()
  fill(directory)
  {
    await using off = await sqlite.open(directory, { search: "off" })
    expect(await find(off, "parser")).toEqual([])
  }
  {
    await using titles = await sqlite.open(directory, { search: "titles" })
    expect(ids(await find(titles, "parser"))).toEqual(["ses_1"])
  }
  await using on = await sqlite.open(directory)
  expect(ids(await find(on, "parser"))).toEqual(["ses_1", "msg_1"])
})

test("snippets are cut at grapheme borders around the match, and the ranges are where the words stand", async () => {
  await using store = await sqlite.open(tempFolder())
  put(store.directory, "message/ses_1/msg_1.json", message("msg_1", "ses_1", 1))
  const family = "👨‍👩‍👧‍👦"
  text(
    store.directory,
    "msg_1",
    "prt_1",
    `${`${family}e\u{301} `.repeat(30)}NEEDLE İ needle ${`${family} `.repeat(60)}`,
  )
  const [hit] = await find(store, "needle")
  expect(hit?.ranges.map(([from, to]) => hit.snippet.slice(from, to))).toEqual(["NEEDLE", "needle"])
  const graphemes = [
    ...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(hit?.snippet ?? ""),
  ].map(({ segment }) => segment)
  expect(
    graphemes.every((grapheme) => grapheme === family || [...grapheme.normalize("NFC")].length === 1),
  ).toBe(true)
})
