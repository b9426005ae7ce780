import { expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { createHandler } from "sessiondex/http"
import { objects } from "../../page/api.ts"
import { compare, readPatch } from "../../page/diff.ts"
import * as format from "../../page/format.ts"
import { projectGroup } from "../../page/projects.ts"
import { formatRoute } from "../../page/route.ts"
import { pieces, readHit } from "../../page/search.ts"
import { listRows, sessionItem } from "../../page/sessions.ts"
import { transcriptRows } from "../../page/transcript.ts"
import { chart, leading, readUsage, stretchOf } from "../../page/usage.ts"
import { openStore } from "../../src/index.ts"
import { fieldsOf } from "../../src/record/extract.ts"
import { cliHere, cliOnTerminal, lines } from "../cli/in-process.ts"
import { message, part, session } from "../support/records.ts"
import { putAll, strangeFiles } from "../support/strange-bodies.ts"
import { put, tempFolder } from "../support/temp.ts"

const RUNS = process.env.SESSIONDEX_TEST_LONG === "1" ? 200 : 2
const SEED = process.env.SESSIONDEX_TEST_SEED
const PARAMETERS = { numRuns: RUNS, endOnFailure: true, ...(SEED !== undefined && { seed: Number(SEED) }) }
const SESSIONS = 4
const TIMEOUT = 60_000 + RUNS * 5_000

/** Traces of an error that nobody thought of. */
const CRASH = /RangeError|TypeError|SyntaxError|URIError|\n {4}at /
const GOOD = { id: "ses_good", title: "the good neighbour" }

/** A store of these files, with one good session amid them. */
function storeOf(files: Readonly<Record<string, string>>): string {
  const directory = join(tempFolder(), "storage")
  mkdirSync(directory)
  putAll(directory, files)
  put(directory, "session/p/ses_good.json", session(GOOD.id, { title: GOOD.title, projectID: "p" }))
  put(directory, "message/ses_good/msg_good.json", message("msg_good", GOOD.id, 5))
  put(directory, "part/msg_good/prt_good.json", part("prt_good", "msg_good", "the good needle"))
  return directory
}

const ids = Array.from({ length: SESSIONS }, (_, at) => `ses_${at}`)

test.each([1.7e18, -1.7e18, "yesterday", null, { a: 1 }])(
  "a session of the time %j is listed with the others",
  async (time) => {
    const directory = storeOf({})
    put(
      directory,
      "session/p/ses_odd.json",
      session("ses_odd", { time: { created: time, updated: time } as never }),
    )
    const { code, out, err } = await cliHere(directory, "sessions")
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((row) => row.slice(16).trim())
        .sort(),
    ).toEqual(["ses_good  the good neighbour", "ses_odd  Session ses_odd"])
    put(directory, "message/ses_good/msg_odd.json", message("msg_odd", "ses_good", 6, { time } as never))
    put(directory, "part/msg_odd/prt_1.json", {
      type: "tool",
      state: { status: "constructor", output: "`".repeat(1_000_000), time: { start: time, end: time } },
    })
    for (const argv of [["show"], ["export", "--markdown"], ["messages"]]) {
      const shown = await cliOnTerminal(directory, ...argv, GOOD.id)
      expect({ code: shown.code, err: shown.err }).toEqual({ code: 0, err: "" })
      expect(shown.out).toContain("the good needle")
    }
  },
)

test(
  "every command goes on whatever JSON stands in the bodies, and the neighbours are shown",
  async () => {
    await fc.assert(
      fc.asyncProperty(strangeFiles(SESSIONS), async (files) => {
        const directory = storeOf(files)
        const run = async (...argv: string[]): Promise<string> => {
          const terminal = argv[0] === "show" && !argv.includes("--json")
          const { code, out, err } = await (terminal ? cliOnTerminal : cliHere)(directory, ...argv)
          expect({ argv, crash: CRASH.exec(err)?.[0], err: code > 1 ? err : "" }).toEqual({
            argv,
            crash: undefined,
            err: "",
          })
          if (argv.includes("--json") && !argv.includes("export")) lines(out)
          return out
        }
        for (const json of [[], ["--json"]]) {
          for (const options of [[], ["--order", "created"], ["--archived", "exclude"]]) {
            const listed = await run("sessions", ...options, ...json)
            expect(listed).toContain(GOOD.title)
            if (json.length > 0 && options.length < 2) expect(lines(listed)).toHaveLength(SESSIONS + 1)
          }
          for (const id of [...ids, GOOD.id]) {
            await run("messages", id, ...json)
            await run("show", id, ...json)
          }
          await run("messages", ids[0] ?? "", "--limit", "1", ...json)
          expect(await run("search", "needle", ...json)).toContain(GOOD.title)
          for (const command of ["index", "stats", "verify", "rebuild", "orphans", "trash"])
            await run(command, ...json)
          await run("prune", "--older-than", "1d", "--dry-run", ...json)
          await run("prune", "--keep", "1", "--max-size", "1kB", "--dry-run", ...json)
        }
        for (const id of [...ids, GOOD.id]) {
          await run("export", id)
          await run("export", id, "--json")
          await run("export", id, "--markdown")
        }
        expect(await run("export", GOOD.id, "--markdown")).toContain("the good needle")
        await run("export", "--all", join(directory, "..", "copy"))
        await run("move", ids[0] ?? "", "p2")
        await run("prune", "--keep", "2", "--yes")
        await run("trash", "--json")
        await run("restore", "--all", "--json")
        await run("prune", "--keep", "2", "--yes", "--json")
        await run("trash", "empty", "--yes")
        expect(await run("verify")).toContain(" 0 differences")
      }),
      PARAMETERS,
    )
  },
  TIMEOUT,
)

test(
  "exports and older histories are read in whatever JSON stands in their bodies",
  async () => {
    await fc.assert(
      fc.asyncProperty(strangeFiles(2), async (files) => {
        const data = tempFolder()
        const directory = join(data, "storage")
        const run = async (...argv: string[]): Promise<void> => {
          // An export whose ids can be no names of files is refused.
          const { err } = await cliHere(directory, ...argv)
          expect({ argv, crash: CRASH.exec(err)?.[0] }).toEqual({ argv, crash: undefined })
        }
        mkdirSync(join(directory, "session"), { recursive: true })
        const messages = ["msg_0a", "msg_0b"].map((id) => {
          const parts = Object.entries(files).filter(([path]) => path.startsWith(`part/${id}/`))
          return `{"info":${files[`message/ses_0/${id}.json`]},"parts":[${parts.map(([, text]) => text)}]}`
        })
        put(data, "export.json", `{"info":${files["session/p/ses_0.json"]},"messages":[${messages}]}`)
        for (const options of [["--dry-run"], [], ["--on-conflict", "newest"]])
          await run("import", join(data, "export.json"), "--project", "p", ...options)
        for (const [path, text] of Object.entries(files)) {
          const [kind, folder = "", name = ""] = path.split("/")
          const older =
            kind === "session"
              ? `session/info/${name}`
              : kind === "message"
                ? `session/message/${folder}/${name}`
                : kind === "part"
                  ? `session/part/ses_${folder.slice(4, 5)}/${folder}/${name}`
                  : undefined
          if (older !== undefined) put(data, `project/work/storage/${older}`, text)
        }
        await run("sessions")
        await run("import", "--older")
        await run("verify", "--json")
      }),
      PARAMETERS,
    )
  },
  TIMEOUT,
)

test(
  "every route answers whatever JSON stands in the bodies, and the page makes something of it",
  async () => {
    await fc.assert(
      fc.asyncProperty(strangeFiles(SESSIONS), async (files) => {
        const directory = storeOf(files)
        await using store = await openStore({ directory, backgroundIndex: false })
        const errors: unknown[] = []
        const handler = createHandler(store, { writable: true, onError: (error) => errors.push(error) })
        const answer = async (path: string, init?: RequestInit): Promise<unknown> => {
          const response = await handler(new Request(`http://localhost/${path}`, init))
          const text = await response.text()
          expect({
            path,
            status: response.status < 500,
            errors,
            crash: CRASH.exec(text.slice(0, 9)),
          }).toEqual({
            path,
            status: true,
            errors: [],
            crash: null,
          })
          return text === "" ? undefined : JSON.parse(text)
        }
        const listed = objects(await answer("session"))
        expect(listed).toHaveLength(SESSIONS + 1)
        expect(listed.some(({ title }) => title === GOOD.title)).toBe(true)
        for (const query of ["limit=2", "order=created&direction=asc", "roots=true", "search=needle"])
          await answer(`session?${query}`)
        const items = listed.map((body) => sessionItem(body)).filter((item) => item !== undefined)
        expect(items).toHaveLength(SESSIONS + 1)
        const rows = listRows(items, new Set(items.map(({ id }) => id)))
        expect(rows.filter(({ kind }) => kind === "session").length).toBe(SESSIONS + 1)
        for (const row of rows) if (row.kind === "session") pageSession(row.session, listed)
        for (const id of [...ids, GOOD.id]) {
          await answer(`session/${id}`)
          for (const side of ["children", "todo", "diff"]) objects(await answer(`session/${id}/${side}`))
          const messages = objects(await answer(`session/${id}/message`))
          expect(objects(await answer(`session/${id}/message?limit=50`))).toHaveLength(messages.length)
          transcriptRows(
            messages.map(({ info, parts }) => ({
              id: format.textOf(fieldsOf(info).id),
              info: fieldsOf(info),
              parts: objects(parts),
            })),
          )
          for (const { info, parts } of messages) {
            const path = `session/${id}/message/${fieldsOf(info).id}`
            await answer(path)
            pageBody(fieldsOf(info))
            for (const each of objects(await answer(`${path}/part`))) {
              await answer(`${path}/part/${each.id}`)
              pageBody(each)
            }
            expect(objects(parts)).toHaveLength(id === GOOD.id ? 1 : 8)
          }
        }
        for (const group of objects(await answer("project?groups=true"))) projectGroup(group)
        await answer("project")
        const usage = objects(await answer("usage"))
          .map(readUsage)
          .filter((row) => row !== undefined)
        for (const days of [30, undefined]) {
          const stretch = stretchOf(usage, days)
          if (!stretch) continue
          const { bars } = chart(usage, stretch.from, stretch.to, leading(usage, 5), (row) => [row.cost])
          expect(bars.length).toBeLessThan(200)
          expect(bars.length).toBeGreaterThan(0)
        }
        for (const path of ["stats", "health"]) await answer(path)
        const found = await handler(
          new Request("http://localhost/search?q=needle", { headers: { accept: "application/x-ndjson" } }),
        )
        const hits = objects(lines(await found.text())).map(readHit)
        expect(hits.some((hit) => hit?.sessionID === GOOD.id)).toBe(true)
        for (const hit of hits)
          if (hit) {
            expect(
              pieces(hit.snippet, hit.ranges)
                .map(({ text }) => text)
                .join(""),
            ).toBe(hit.snippet)
            format.shortTime(hit.time)
          }
        for (const id of ids) await answer(`session/${id}`, { method: "DELETE" })
        expect(errors).toEqual([])
      }),
      PARAMETERS,
    )
  },
  TIMEOUT,
)

/** What the page makes of a session. */
function pageSession(item: NonNullable<ReturnType<typeof sessionItem>>, listed: readonly unknown[]): void {
  expect(listed.length).toBeGreaterThan(0)
  for (const make of [format.fullTime, format.shortTime, format.clock, format.dayOf])
    for (const time of [item.updated, item.created]) expect(make(time)).not.toMatch(/Invalid|NaN/)
  for (const id of [item.id, item.parentID ?? "", item.projectID]) formatRoute({ session: id, project: id })
}

/** What the page makes of everything in a body. */
function pageBody(body: unknown): void {
  const waiting: unknown[] = [body]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "object" && next !== null) {
      expect(format.duration(next)).not.toMatch(/NaN|Infinity/)
      const { before, after } = fieldsOf(next)
      compare(format.textOf(before), format.textOf(after))
      for (const child of Object.values(next)) waiting.push(child)
    } else {
      const text = format.textOf(next)
      format.plain(text)
      readPatch(text)
      formatRoute({ session: text, message: text, part: text, query: text, project: text })
      const number = format.numberOf(next)
      for (const make of [format.short, format.money, format.bytes, format.span])
        expect(make(number)).not.toMatch(/NaN|Infinity/)
      for (const make of [format.fullTime, format.shortTime, format.clock, format.dayOf]) make(next)
    }
  }
}
