import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "../..")
const MB = 1_000_000

/** A session of so many parts, seven a message: all of them links to one file, since ids come from paths. */
function fill(directory: string, parts: number): void {
  put(directory, "session/p/ses_1.json", session("ses_1"))
  const template = put(directory, "../template.json", part("prt", "msg", "some text of a part ".repeat(120)))
  for (let p = 0; p < parts; p++) {
    const id = `msg_${Math.floor(p / 7)}`
    if (p % 7 === 0) {
      put(directory, `message/ses_1/${id}.json`, message(id, "ses_1", p))
      fs.mkdirSync(join(directory, "part", id), { recursive: true })
    }
    fs.linkSync(template, join(directory, "part", id, `prt_${p}.json`))
  }
}

/** Runs each step in a process of its own; gives the peak memory of each in bytes. */
async function peaks(parts: number): Promise<Record<string, number>> {
  const root = tempFolder()
  const [directory = "", copy = "", file = ""] = ["store", "copy", "export.json"].map((name) =>
    join(root, name),
  )
  fill(directory, parts)
  const steps: [string, string, string][] = [
    [
      "export",
      directory,
      `const out = Bun.file(${JSON.stringify(file)}).writer(); for await (const text of store.export("ses_1")) { out.write(text); await out.flush() } await out.end()`,
    ],
    ["import", copy, `console.error = () => {}; seen = (await store.import(${JSON.stringify(file)})).added`],
    ["prune", directory, `for await (const { files } of store.prune({ keep: 0 })) seen += files`],
    ["restore", directory, `for await (const { files } of store.trash.restore("ses_1")) seen += files`],
  ]
  const found: Record<string, number> = {}
  for (const [name, folder, work] of steps) {
    const script = `import { openStore } from "./src/index.ts"
      let seen = 0
      {
        await using store = await openStore({ directory: ${JSON.stringify(folder)}, backgroundIndex: false, durability: "relaxed" })
        ${work}
      }
      const { readFileSync } = await import("node:fs")
      // Not ru_maxrss: that begins with what the parent had when it forked.
      const status = process.platform === "linux" ? /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8")) : null
      console.log(JSON.stringify({ seen, bytes: (status ? Number(status[1]) : process.resourceUsage().maxRSS) * 1024 }))`
    const child = Bun.spawn(["bun", "-e", script], { cwd: ROOT, stdout: "pipe", stderr: "inherit" })
    const { seen, bytes }: { seen: number; bytes: number } = JSON.parse(
      await new Response(child.stdout).text(),
    )
    if (name !== "export") expect(seen).toBe(1 + parts + Math.ceil(parts / 7))
    found[name] = bytes
  }
  // So many files take longer than a hook may.
  fs.rmSync(copy, { recursive: true })
  fs.rmSync(directory, { recursive: true })
  expect(Bun.file(file).size).toBeGreaterThan(parts * 2400)
  return found
}

test("export, import, prune and restore of a session of 28,000 parts take no more memory than of 280", async () => {
  const small = await peaks(280)
  const large = await peaks(28_000)
  const names = Object.keys(large)
  console.log(
    `peak memory: ${names.map((name) => `${name} ${Math.round((small[name] ?? 0) / MB)} → ${Math.round((large[name] ?? 0) / MB)} MB`).join(", ")}`,
  )
  // The exported file alone is 70 MB.
  for (const name of names) expect((large[name] ?? 0) - (small[name] ?? 0)).toBeLessThan(48 * MB)
}, 120_000)
