/**
 * Builds the command line into dist: one file of bytecode, which starts sooner (docs/figures.md), since Bun neither looks for 200 files nor
 * parses them. It is made when the package is packed (`prepack`) and not kept: it would change with every commit.
 */
import { rm } from "node:fs/promises"
import { join, relative, sep } from "node:path"

const ROOT = join(import.meta.dir, "..")
const PAGE = /[\\/]src[\\/]http[\\/]page[\\/][^\\/]+$/
/** Libraries that a listing does not use; they are read from where they are installed, which costs nothing until then. */
const LEFT_OUT = ["hono", "cli-progress", "@streamparser/json"]

/** Builds into a folder beside `src`, whose page it reads when that is served; gives the path of what is to be run. */
export async function buildCli(folder = join(ROOT, "dist")): Promise<string> {
  await rm(folder, { recursive: true, force: true })
  const { outputs } = await Bun.build({
    entrypoints: [join(ROOT, "src", "cli", "start.ts")],
    root: ROOT,
    outdir: folder,
    naming: "cli.[ext]",
    target: "bun",
    // Bytecode there is of this format alone.
    format: "cjs",
    bytecode: true,
    minify: { syntax: true, whitespace: true, identifiers: true, keepNames: true },
    sourcemap: "linked",
    external: [...LEFT_OUT, "../src/http/page/*"],
    plugins: [{ name: "page", setup: (build) => void build.onLoad({ filter: PAGE }, pageReader) }],
  })
  const map = outputs.find(({ kind }) => kind === "sourcemap")
  const program = outputs.find(({ kind }) => kind === "entry-point")
  if (!map || !program || outputs.every(({ kind }) => kind !== "bytecode"))
    throw new Error("The build lacks its program, bytecode or source map")
  await Bun.write(map.path, withoutContents(await map.text()))
  return program.path
}

/** The page as its file is when it is asked for: text in the bundle is read with every start. */
function pageReader({ path }: { path: string }) {
  const place = JSON.stringify(`../${relative(ROOT, path).split(sep).join("/")}`)
  const contents = `import { readFileSync } from "node:fs"
export default readFileSync(require.resolve(${place}), "utf8")`
  return { contents, loader: "js" as const }
}

/** A source map without the sources' texts: they lie in the package. */
function withoutContents(text: string): string {
  const map: Record<string, unknown> & { sources: string[] } = JSON.parse(text)
  return JSON.stringify({ ...map, sourcesContent: map.sources.map(() => null) })
}

if (import.meta.main) {
  const path = await buildCli()
  console.log(`${relative(ROOT, path)}  ${(Bun.file(path).size / 1024).toFixed(0)} KiB`)
}
