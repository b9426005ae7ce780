import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "../..")

async function run(
  command: string[],
  env: Record<string, string | undefined> = {},
  cwd = ROOT,
): Promise<{ code: number; out: string }> {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
    stdin: "ignore",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, out: out + err }
}

test("drizzle-kit generate, check and migrate work with the shipped configuration", async () => {
  const index = join(tempFolder(), "index.sqlite")
  const before = fs.readdirSync(join(ROOT, "drizzle"))
  for (const command of ["generate", "check", "migrate"])
    expect(await run(["bun", "--bun", "drizzle-kit", command], { SESSIONDEX_INDEX: index })).toMatchObject({
      code: 0,
    })
  expect(fs.readdirSync(join(ROOT, "drizzle"))).toEqual(before)
  const tables = new Database(index)
    .query<{ name: string }, []>("select name from sqlite_master where type = 'table'")
    .all()
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["directories", "sessions", "messages", "parts"]),
  )
}, 60_000)

/** What a clone has of what drizzle-kit needs, and what `bun install` puts there. */
function clone(): string {
  const folder = tempFolder()
  for (const name of ["drizzle.config.ts", "package.json", "tsconfig.json", "drizzle", "src"])
    fs.cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  fs.symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"))
  return folder
}

const KIT = ["bunx", "--bun", "drizzle-kit"]
const NO_INDEX = { SESSIONDEX_INDEX: undefined }

test("in a fresh clone drizzle-kit generates nothing, checks, migrates, and shows what it migrated", async () => {
  const folder = clone()
  const before = fs.readdirSync(join(folder, "drizzle"))
  for (const command of ["check", "generate", "migrate", "migrate"])
    expect([command, await run([...KIT, command], NO_INDEX, folder)]).toMatchObject([command, { code: 0 }])
  expect(fs.readdirSync(join(folder, "drizzle"))).toEqual(before)
  const port = await freePort()
  const studio = Bun.spawn([...KIT, "studio", "--host", "127.0.0.1", "--port", String(port)], {
    cwd: folder,
    env: { ...process.env, ...NO_INDEX },
    stdout: "ignore",
    stderr: "inherit",
    stdin: "ignore",
  })
  try {
    const ask = async (body: unknown): Promise<string> => {
      const headers = { "Content-Type": "application/json" }
      const answer = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      })
      return await answer.text()
    }
    let about = ""
    while (about === "") about = await ask({ type: "init" }).catch(() => Bun.sleep(20).then(() => ""))
    expect(JSON.parse(about)).toMatchObject({ dialect: "sqlite", schemaFiles: [{ name: "schema.ts" }] })
    const sql = "select count(*) as applied from __drizzle_migrations"
    const applied = await ask({ type: "proxy", data: { sql, params: [], method: "values", mode: "object" } })
    // PostgreSQL's lie in a folder among them.
    expect(JSON.parse(applied)).toEqual([{ applied: before.filter((name) => name !== "postgres").length }])
  } finally {
    studio.kill()
    await studio.exited
  }
}, 60_000)

test("an index that drizzle-kit migrated is used as ours, and it finds nothing to do in ours", async () => {
  const folder = clone()
  const directory = tempFolder()
  put(directory, "session/p/ses_1.json", session("ses_1"))
  const index = join(directory, ".sessiondex/index.sqlite")
  fs.mkdirSync(join(directory, ".sessiondex"))
  for (const round of ["theirs", "ours"]) {
    expect(await run([...KIT, "migrate"], { SESSIONDEX_INDEX: index }, folder)).toMatchObject({ code: 0 })
    await using store = await openStore({ directory, backgroundIndex: false })
    expect(await store.index()).toMatchObject({ sessions: 1, read: round === "theirs" ? 1 : 0 })
    expect(store.health().index).toMatchObject({ state: "ready", path: index, damaged: [], failures: 0 })
  }
}, 60_000)

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() })
  const port = Number(server.port)
  await server.stop(true)
  return port
}

test("an app that imports the package compiles to one file that needs nothing else", async () => {
  const folder = tempFolder()
  const store = tempFolder()
  put(store, "session/p/ses_1.json", session("ses_1"))
  const app = put(
    folder,
    "app.ts",
    `import { createHandler } from ${JSON.stringify(join(ROOT, "src/http/index.ts"))}
     import { openStore } from ${JSON.stringify(join(ROOT, "src/index.ts"))}
     await using store = await openStore({ directory: process.argv[2] ?? "" })
     for await (const id of store.sessions.ids()) console.log(id, store.health().index.state)
     const answer = await createHandler(store)(new Request("http://localhost/assets/app.js"))
     console.log(answer.status, (await answer.text()).length > 0)`,
  )
  const binary = join(folder, "app")
  expect(await run(["bun", "build", "--compile", app, "--outfile", binary])).toMatchObject({ code: 0 })
  expect(await run([binary, store], {}, folder)).toEqual({ code: 0, out: "ses_1 ready\n200 true\n" })
}, 60_000)
