import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { sessionFields } from "../../../src/record/extract.ts"
import { fold } from "../../../src/record/fold.ts"
import { comparePosition, type Position } from "../../../src/record/order.ts"
import type { SessionQuery } from "../../../src/record/query.ts"
import { matchesTexts, parseQuery } from "../../../src/record/search-query.ts"
import { untilProven } from "../../support/temp.ts"
import {
  databaseOf,
  fixtureDatabase,
  idsOf,
  laterDatabase,
  messageIds,
  messageRow,
  readerOf,
  SCHEMA_1_2,
  sessionRow,
} from "./support.ts"

/** Those that the database made by hand lacks. */
const INDEXES = SCHEMA_1_2.slice(SCHEMA_1_2.indexOf("CREATE INDEX"))
const SESSION_V2 = SCHEMA_1_2.slice(0, SCHEMA_1_2.indexOf(";") + 1)
  .replace("TABLE session", "TABLE session_v2")
  .replace("title text NOT NULL", "title text")

/** The same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}

const TITLES = ["Straße", "ΣΊΣΥΦΟΣ", "plain words", "Überprüfung", "İstanbul", "", "words and Σ"]

/** Sessions in one table or both, some in both of them. */
function randomDatabase(seed: number, tables: readonly string[]): string {
  const next = numbers(seed)
  const rows = tables.flatMap((table) =>
    Array.from({ length: 40 }, (_, at) =>
      next(3) === 0
        ? ""
        : sessionRow(
            {
              id: `ses_${at}${at % 5 === 0 ? "😀" : at % 7 === 0 ? "\uffee" : ""}`,
              updated: next(6),
              created: next(4),
              project: `p${next(3)}`,
              parent: next(2) === 0 ? null : next(4) === 0 ? "" : `ses_${next(6)}`,
              title: TITLES[next(TITLES.length)] ?? "",
              directory: `/d${next(2)}`,
              archived: next(3) === 0 ? next(2) : null,
            },
            table,
          ),
    ),
  )
  return databaseOf(`${SCHEMA_1_2} ${tables.includes("session_v2") ? SESSION_V2 : ""} ${rows.join("\n")}`)
}

function* queries(): Generator<SessionQuery> {
  for (const order of ["updated", "created"] as const)
    for (const direction of ["asc", "desc"] as const)
      for (const archived of ["include", "exclude", "only"] as const)
        for (const filter of [
          {},
          { projectID: "p1" },
          { parentID: null },
          { parentID: "ses_2" },
          { directory: "/d1", updatedSince: 3 },
          { search: parseQuery("σίσυφος") },
          { search: parseQuery("words -Σ") },
        ])
          yield { order, direction, archived, ...filter }
}

for (const [tables, seed] of [
  [["session"], 1],
  [["session", "session_v2"], 2],
  [["session_v2"], 3],
] as const)
  test(`listings of ${tables.join(" and ")} are those of the bodies, whole and page by page`, async () => {
    using opened = readerOf(randomDatabase(seed, tables))
    const { reader } = opened
    const everything = await reader.sessions(
      { archived: "include", order: "updated", direction: "asc" },
      { bodies: true },
    )
    const bodies = everything.map(({ body = "", project }) => ({ body: JSON.parse(body), project }))
    let matched = 0
    for (const query of queries()) {
      const sign = query.direction === "asc" ? 1 : -1
      const wanted = bodies
        .map(({ body, project }) => ({ id: String(body.id), project, fields: sessionFields(body) }))
        .filter(
          ({ project, fields }) =>
            (query.projectID === undefined || project === query.projectID) &&
            (query.parentID === undefined || fields.parentID === query.parentID) &&
            (query.directory === undefined || fields.directory === query.directory) &&
            (query.archived === "include" || fields.archived === (query.archived === "only")) &&
            (query.updatedSince === undefined || fields.updated >= query.updatedSince) &&
            (!query.search || matchesTexts(query.search, [fold(fields.title ?? "")])),
        )
        .map(({ id, project, fields }) => ({ time: fields[query.order], id, project }))
        .sort((a, b) => sign * comparePosition(a, b))
      matched += wanted.length
      expect(await reader.sessions(query)).toEqual(wanted)
      expect(await reader.countSessions(query)).toBe(wanted.length)
      const paged = []
      for (let after: Position | undefined; ; ) {
        const page = await reader.sessions(query, { after, limit: 7 })
        paged.push(...page)
        after = page.at(-1)
        if (!after) break
      }
      expect(paged).toEqual(wanted)
    }
    expect(matched).toBeGreaterThan(200)
  })

test("messages of one time are ordered by id, both ways and over runs", async () => {
  const rows = Array.from({ length: 600 }, (_, at) =>
    messageRow(`msg_${String((at * 7) % 600).padStart(3, "0")}`, "ses_1", Math.floor(((at * 7) % 600) / 100)),
  )
  using opened = readerOf(databaseOf(`${SCHEMA_1_2} ${sessionRow({ id: "ses_1" })} ${rows.join("\n")}`))
  const wanted = Array.from({ length: 600 }, (_, at) => `msg_${String(at).padStart(3, "0")}`)
  expect(await messageIds(opened.reader, "ses_1")).toEqual(wanted)
  expect(await messageIds(opened.reader, "ses_1", "desc")).toEqual(wanted.toReversed())
  const some = []
  for await (const run of opened.reader.messages("ses_1", "desc", {
    after: { time: 3, id: "msg_350" },
    limit: 300,
  }))
    some.push(...run.map(({ id }) => id))
  expect(some).toEqual(wanted.slice(50, 350).reverse())
})

test("messages and parts are found by the indexes that opencode makes", async () => {
  for (const path of [fixtureDatabase(), databaseOf(INDEXES, laterDatabase())]) {
    using opened = readerOf(path)
    const { reader } = opened
    const plans: string[] = []
    // So that all questions are put to one connection.
    await untilProven()
    reader.database.snapshot((view) => {
      const question = view.question.bind(view)
      Object.defineProperty(view, "question", {
        value: (name: string, make: Parameters<typeof question>[1]) =>
          question(name, (db) => {
            const made = make(db)
            if ("getQuery" in made && typeof made.getQuery === "function")
              plans.push(`${name}: ${made.getQuery().sql}`)
            return made
          }),
      })
    })
    for (const id of await idsOf(reader)) {
      const [first] = await messageIds(reader, id)
      await reader.bodies("message", id, [first ?? ""])
      await reader.partsOf([first ?? ""])
      await reader.countMessages(id)
      await reader.guessFolder("part", "prt_none")
      await reader.guessFolder("message", "msg_none")
    }
    const db = new Database(path, { readonly: true })
    const scans = plans.flatMap((plan) => {
      const text = plan.slice(plan.indexOf(": ") + 2)
      const details = db
        .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${text}`)
        .all()
        .map(({ detail }) => detail)
      return details
        .filter((detail) => /^SCAN (?:message|part|session_message)\b/.test(detail))
        .map((detail) => `${plan}: ${detail}`)
    })
    db.close()
    expect(scans).toEqual([])
    expect(plans.length).toBeGreaterThan(5)
  }
})
