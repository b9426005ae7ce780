import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { openStore } from "../src/index.ts"
import { session } from "./support/records.ts"
import { put, tempFolder } from "./support/temp.ts"

const SRC = join(import.meta.dir, "..", "src")

/** Layers from the bottom up; a file imports from its own layer or one below. A folder counts as its longest name here. */
const LAYERS: readonly (readonly string[])[] = [
  ["errors.ts", "logger.ts", "time-slice.ts", "exhaustion.ts"],
  ["record"],
  ["root"],
  ["root/scanned"],
  ["file"],
  ["database"],
  ["postgres"],
  ["migrator"],
  ["root/older"],
  ["root/json"],
  ["root/opencode", "root/transcript", "root/postgres"],
  ["repository"],
  ["search"],
  ["retention"],
  ["transfer"],
  ["push"],
  ["watch"],
  ["sources"],
  ["options.ts", "data-folder.ts", "places.ts", "writing.ts", "composition.ts", "machine-of.ts"],
  ["store.ts"],
  ["storage.ts", "index.ts"],
  ["testing"],
  ["http"],
  ["cli"],
]

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) =>
  /(?<!\.d)\.ts$/.test(name),
)

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), "utf8")
  return [...text.matchAll(/(?:from|import)[\s(]+"(\.[^"]+\.ts)"/g)].map(([, path = ""]) =>
    relative(SRC, join(SRC, dirname(file), path)),
  )
}

function layerOf(file: string): number {
  const segments = file.split("/")
  for (let length = Math.min(2, segments.length); length > 0; length--) {
    const layer = LAYERS.findIndex((names) => names.includes(segments.slice(0, length).join("/")))
    if (layer >= 0) return layer
  }
  throw new Error(`${file} belongs to no layer`)
}

test("imports point down only", () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => layerOf(target) > layerOf(file))
      .map((target) => `${file} → ${target}`),
  )
  expect(upward).toEqual([])
})

test("faces know the store and the shapes of records, and nothing below", () => {
  // The command line starts the server, so it may know that face.
  const FACES: Record<string, RegExp> = {
    cli: /^(?:cli\/|record\/|index\.ts$|http\/index\.ts$)/,
    http: /^(?:http\/|record\/|index\.ts$)/,
  }
  const strays = Object.entries(FACES).flatMap(([face, allowed]) =>
    files
      .filter((file) => file.startsWith(`${face}/`))
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => !allowed.test(target))
          .map((target) => `${file} → ${target}`),
      ),
  )
  expect(strays).toEqual([])
})

test("repositories, search, exports and faces know nothing of what a history is kept in", () => {
  const ABOVE = /^(?:repository|search|http|cli)\/|^transfer\/export\.ts$/
  const BELOW = /^(?:file|database|postgres|migrator|root\/(?:json|older|opencode|postgres|scanned))\//
  const strays = files
    .filter((file) => ABOVE.test(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => BELOW.test(target))
        .map((target) => `${file} → ${target}`),
    )
  expect(strays).toEqual([])
})

test("no circles among the files", () => {
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) throw new Error(`A circle: ${[...trail, file].join(" → ")}`)
    if (done.has(file)) return
    for (const target of importsOf(file)) visit(target, [...trail, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(done.size).toBe(files.length)
})

/** What is loaded with a file before anything of it runs: of our own files their paths, of packages their names. */
function loadedWith(entry: string): ReadonlySet<string> {
  const transpiler = new Bun.Transpiler({ loader: "ts" })
  const loaded = new Set<string>()
  const visit = (file: string): void => {
    if (loaded.has(file)) return
    loaded.add(file)
    // Types are gone from these, and what is imported or required within a function is not among them.
    for (const { kind, path } of transpiler.scanImports(readFileSync(join(SRC, file), "utf8")))
      if (kind === "import-statement") {
        if (/^\..*\.ts$/.test(path)) visit(relative(SRC, join(SRC, dirname(file), path)))
        else loaded.add(path)
      }
  }
  visit(entry)
  return loaded
}

/** What neither a start nor a listing needs, by folder. */
const LATER = [
  /^(?:search|retention|transfer|push|postgres)\//,
  /^writing\.ts$|^file\/(?:coalescer|write-queue|write-now|digest|folder-flush|at-once|move)\.ts$/,
  /^record\/(?:json|schema|trigrams)\.ts$/,
  /^database\/(?:migrations?|trigram|private-folder|.*text-statements|(?:place|step|version|transcript|session-field)-statements)\.ts$/,
  /^migrator\/(?:walk|verify|compact|part-texts)/,
  /^watch\/(?:store-watch|own-writes)/,
  /^root\/(?:fields-by-reading|older\/older-layout|opencode\/(?!opencode-database|find)|transcript\/|postgres\/(?!postgres\.ts))/,
  /^root\/scanned\/scanned-(?:texts|upkeep)/,
  /^root\/json\/(?:candidates|catch-up|keys|problems|publisher|record-writer|refused-folders|stats|versions|orphans|verify-texts)/,
  /^repository\/(?:all-upkeep|apart-counts|owned-sessions|usage)/,
]

function early(loaded: Iterable<string>): string[] {
  return [...loaded].filter((file) => LATER.some((later) => later.test(file)))
}

test("what listings do not need is loaded when it is used", () => {
  const loaded = loadedWith("index.ts")
  expect(loaded).toContain("root/json/sqlite-catalog.ts")
  expect(early(loaded)).toEqual([])
})

test("a process that opens a store with an index and lists a page has loaded nothing else", async () => {
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1", { projectID: "p" }))
  await using store = await openStore({ directory, backgroundIndex: false })
  await store.index()
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "support/loaded-child.ts"), directory], {
    stderr: "inherit",
  })
  const loaded: string[] = JSON.parse(await new Response(child.stdout).text())
  expect(loaded).toContain("database/connection.ts")
  expect(early(loaded)).toEqual([])
})

test("the command line loads no command but the one that is run, and nothing that only some need", () => {
  const loaded = loadedWith("cli/start.ts")
  expect(loaded).toContain("cli/program.ts")
  const LATER =
    /^cli\/(?:commands\/(?!newest)|pager|progress)|^(?:cli-progress|hono|node:(?:util|crypto|child_process|readline.*|stream.*))$/
  expect([...loaded].filter((file) => LATER.test(file))).toEqual([])
})

test("raw SQL stays in the files that are for it", () => {
  const strays = files.filter((file) =>
    /\.(?:run|query|exec)(?:<[^(]*>)?\(\s*[`"'](?:pragma|select|insert|update|delete|create|begin|rollback)/i.test(
      readFileSync(join(SRC, file), "utf8"),
    ),
  )
  expect(strays.sort()).toEqual(["database/pragmas.ts", "file/lock.ts", "root/opencode/pragmas.ts"])
})
