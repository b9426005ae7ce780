/** Writes the API reference in docs/api from the doc comments; a test compares it with what is committed. */
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type Declared, declarations } from "./declarations.ts"
import { describe, summary } from "./page.ts"

const TARGET = join(import.meta.dir, "..", "..", "docs", "api")

const ENTRIES = {
  sessiondex: "src/index.ts",
  "sessiondex/storage": "src/storage.ts",
  "sessiondex/http": "src/http/index.ts",
  "sessiondex/testing": "src/testing/index.ts",
}

/** Which page a declaration is on, by the beginning of its file's path; the first that fits. */
const PAGES: readonly (readonly [page: string, title: string, files: RegExp])[] = [
  ["store", "The store", /^(store|options|errors|logger|composition)\.ts$/],
  ["records", "Records", /^record\//],
  ["reading", "Sessions, messages, parts", /^repository\//],
  ["search", "Search", /^search\//],
  ["sources", "Sources", /^sources\//],
  ["transfer", "Import and export", /^transfer\//],
  ["push", "Pushing to PostgreSQL", /^(push|postgres)\//],
  ["retention", "Retention", /^retention\//],
  ["storage", "Key-value names", /^storage\.ts$/],
  ["http", "HTTP", /^http\//],
  ["testing", "Testing a root", /^testing\//],
  ["roots", "Roots, index, health", /./],
]

const HEAD = "<!-- Made by `bun run docs:api` from the doc comments in src/. Do not edit. -->"

/** The pages by their names. */
export async function apiDocs(): Promise<Readonly<Record<string, string>>> {
  const all = (await declarations(ENTRIES)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const pageOf = (file: string): string => PAGES.find(([, , files]) => files.test(file))?.[0] ?? ""
  const places = new Map(all.map(({ name, file }) => [name, `${pageOf(file)}.md#${name.toLowerCase()}`]))
  const files: Record<string, string> = {}
  const index = [HEAD, "# API reference", "One page a subject, made from the doc comments."]
  for (const [page, title] of PAGES) {
    const here = all.filter(({ file }) => pageOf(file) === page)
    if (here.length === 0) continue
    const link = (name: string): string | undefined =>
      places.get(name)?.replace(new RegExp(`^${page}\\.md`), "")
    files[`${page}.md`] =
      `${[HEAD, `# ${title}`, ...here.map((one) => [describe(one, link), imported(one)].join("\n\n"))].join("\n\n")}\n`
    const rows = here.map(
      (one) =>
        `| [${one.name}](${places.get(one.name)}) | ${summary(one.node).replace(/(?<!\\)\|/g, "\\|")} |`,
    )
    index.push(`## [${title}](${page}.md)`, ["| name | |", "| --- | --- |", ...rows].join("\n"))
  }
  files["README.md"] = `${index.join("\n\n")}\n`
  return files
}

function imported({ entries }: Declared): string {
  if (entries.length === 0) return "Not exported by name; it is met as a type of others."
  return `Exported by ${entries.map((entry) => `\`${entry}\``).join(" and ")}.`
}

if (import.meta.main) {
  const files = await apiDocs()
  mkdirSync(TARGET, { recursive: true })
  for (const name of readdirSync(TARGET)) if (!(name in files)) rmSync(join(TARGET, name))
  for (const [name, text] of Object.entries(files)) await Bun.write(join(TARGET, name), text)
}
