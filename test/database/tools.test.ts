import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import { session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const ROOT = join(import.meta.dir, "../..")

async function run(
  command: string[],
  env: Record<string, string> = {},
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
