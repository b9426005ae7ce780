import { expect, test } from "bun:test"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Problem, Store } from "../../src/index.ts"
import { all, failure, message, part, session } from "../support/records.ts"
import { put, snapshot, tempFolder } from "../support/temp.ts"
import { variants } from "../support/variants.ts"

function fill(directory: string): void {
  for (const id of ["ses_1", "ses_2"]) {
    put(directory, `session/p/${id}.json`, session(id))
    put(directory, `message/${id}/msg_${id}.json`, message(`msg_${id}`, id, 1))
    put(directory, `part/msg_${id}/prt_${id}.json`, part(`prt_${id}`, `msg_${id}`))
    for (const kind of ["todo", "session_diff"]) put(directory, `${kind}/${id}.json`, [])
  }
  put(directory, "project/p.json", { id: "p" })
}

/** What asks for records of a kind. */
const LISTINGS: Record<string, (store: Store) => Promise<unknown>> = {
  session: (store) => all(store.sessions.list()),
  message: (store) => all(store.messages.list("ses_1")),
  part: (store) => all(store.parts.list("msg_ses_1")),
  project: (store) => all(store.projects.list()),
  todo: (store) => all(store.orphans()),
  session_diff: (store) => all(store.orphans()),
}

test("the command line says which disk is missing, and fails", async () => {
  const directory = tempFolder()
  fill(directory)
  fs.rmSync(join(directory, "session"), { recursive: true })
  fs.symlinkSync(join(directory, "unplugged"), join(directory, "session"))
  const main = join(import.meta.dir, "../../src/cli/main.ts")
  const child = Bun.spawn(["bun", main, "--dir", directory, "sessions"], { stdout: "pipe", stderr: "pipe" })
  expect(await new Response(child.stderr).text()).toContain(`NOT_A_FILE ${join(directory, "session")}: `)
  expect(await new Response(child.stdout).text()).toBe("")
  expect(await child.exited).toBe(1)
})

for (const { name, open } of variants.slice(0, 2)) {
  test.each(Object.keys(LISTINGS))(
    `${name}: a link of %s to a disk that is not there is told by path`,
    async (kind) => {
      const directory = tempFolder()
      const disk = join(tempFolder(), "disk")
      fill(directory)
      const told: Problem[] = []
      const known = await open(directory)
      if (name === "SQLite") await known.index()
      await known.close()
      fs.renameSync(join(directory, kind), disk)
      fs.symlinkSync(disk, join(directory, kind))
      const store = await open(directory, { onProblem: (problem) => told.push(problem) })
      const listed = await LISTINGS[kind]?.(store)
      expect(told).toEqual([])
      // Away while the store is open, and still away when it is opened.
      fs.renameSync(disk, `${disk}.unplugged`)
      const problem = { path: join(directory, kind), code: "NOT_A_FILE" }
      expect(await LISTINGS[kind]?.(store)).toEqual([])
      expect(told).toMatchObject([problem])
      expect((await all(store.problems())).filter(({ path }) => path === problem.path)).toMatchObject([
        problem,
      ])
      await store.close()
      told.length = 0
      await using later = await open(directory, { onProblem: (problem) => told.push(problem) })
      expect(await LISTINGS[kind]?.(later)).toEqual([])
      expect(told).toMatchObject([problem])
      fs.renameSync(`${disk}.unplugged`, disk)
      expect(await LISTINGS[kind]?.(later)).toEqual(listed)
    },
  )

  test(`${name}: the store's own folder is told of where it is a link to a disk that is not there`, async () => {
    const disk = join(tempFolder(), "disk")
    fill(disk)
    const directory = join(tempFolder(), "storage")
    fs.symlinkSync(disk, directory)
    const told: Problem[] = []
    const options = { readOnly: true, onProblem: (problem: Problem) => told.push(problem) }
    await using store = await open(directory, options)
    expect(await all(store.sessions.ids())).toHaveLength(2)
    fs.renameSync(disk, `${disk}.unplugged`)
    expect(await all(store.sessions.ids())).toEqual([])
    expect(told).toMatchObject([{ path: directory, code: "NOT_A_FILE" }])
  })

  test(`${name}: a disk that is not there makes no orphans, be its folder empty or gone, unless that is forced`, async () => {
    for (const [kind, orphan] of [
      ["session", { id: "ses_1", kind: "remains" }],
      ["message", { id: "msg_ses_1", kind: "parts" }],
    ] as const)
      for (const left of ["an empty folder", "empty folders", "nothing"]) {
        const directory = tempFolder()
        fill(directory)
        fs.rmSync(join(directory, kind), { recursive: true })
        if (left !== "nothing") fs.mkdirSync(join(directory, kind))
        if (left === "empty folders") fs.mkdirSync(join(directory, kind, "p"))
        const whole = snapshot(directory)
        const files = (): Record<string, string> =>
          Object.fromEntries(
            Object.entries(snapshot(directory)).filter(([path]) => !path.includes(".sessiondex")),
          )
        await using store = await open(directory)
        for (const rules of [
          { orphans: true },
          { orphans: true, purge: true },
          { orphans: true, dryRun: true },
        ])
          expect(await failure(all(store.prune(rules)))).toMatchObject({
            code: "UNREADABLE",
            path: join(directory, kind),
          })
        expect(files()).toEqual(whole)
        const forced = await all(store.prune({ orphans: "force" }))
        expect(forced[0]).toMatchObject({ ...orphan, outcome: "trashed" })
        expect(await all(store.orphans())).toEqual([])
      }
  })

  test(`${name}: sessions and the orphans there were go in one prune, though none is left of either`, async () => {
    const directory = tempFolder()
    fill(directory)
    fs.rmSync(join(directory, "session/p/ses_2.json"))
    await using store = await open(directory)
    const gone = await all(store.prune({ keep: 0, orphans: true }))
    expect(gone.map(({ id, outcome }) => [id, outcome])).toEqual([
      ["ses_1", "trashed"],
      ["ses_2", "trashed"],
    ])
  })

  test(`${name}: no session goes by any rule while its messages or parts lie on a disk that is not there`, async () => {
    for (const kind of ["message", "part"]) {
      const directory = tempFolder()
      fill(directory)
      const disk = join(tempFolder(), "disk")
      fs.renameSync(join(directory, kind), disk)
      fs.symlinkSync(join(disk, "unplugged"), join(directory, kind))
      await using store = await open(directory)
      for (const rules of [{ keep: 0, purge: true }, { olderThan: 1 }, { maxBytes: 0, dryRun: true }])
        expect(await failure(all(store.prune(rules)))).toMatchObject({
          code: "UNREADABLE",
          path: join(directory, kind),
        })
      expect(await all(store.sessions.ids())).toHaveLength(2)
    }
  })
}
