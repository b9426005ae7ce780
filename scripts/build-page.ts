/** Builds the page into src/http/page, whose files are kept in the repository: who installs the package builds nothing. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const ROOT = join(import.meta.dir, "..")
const SOURCE = join(ROOT, "page")
const TARGET = join(ROOT, "src", "http", "page")

/** The page's files by their names; the same sources give the same bytes with the same Bun. */
export async function buildPage(): Promise<Readonly<Record<string, string>>> {
  const { outputs } = await Bun.build({
    entrypoints: [join(SOURCE, "main.tsx")],
    root: SOURCE,
    target: "browser",
    format: "esm",
    minify: true,
    sourcemap: "none",
    naming: "app.[ext]",
    define: { "process.env.NODE_ENV": '"production"' },
    tsconfig: join(SOURCE, "tsconfig.json"),
  })
  const files: Record<string, string> = { "index.html": readFileSync(join(SOURCE, "index.html"), "utf8") }
  for (const output of outputs) files[output.path.replace(/^.*[\\/]/, "")] = await output.text()
  return files
}

/** What is in the repository. */
export function builtPage(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(TARGET).map((name) => [name, readFileSync(join(TARGET, name), "utf8")]),
  )
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(await buildPage())) {
    await Bun.write(join(TARGET, name), text)
    const zipped = Bun.gzipSync(text).length
    console.log(
      `src/http/page/${name}  ${(text.length / 1024).toFixed(1)} KiB, ${(zipped / 1024).toFixed(1)} gzipped`,
    )
  }
}
