import { Database } from "bun:sqlite"
import { expect, test } from "bun:test"
import { drizzle } from "drizzle-orm/bun-sqlite"
import { migrate } from "drizzle-orm/bun-sqlite/migrator"
import { migrations } from "../../src/database/migrations.ts"
import { Statements } from "../../src/database/statements.ts"
import type { SessionQuery } from "../../src/record/query.ts"

/** Runs the statements on a real database and gives the plan of each query they ran. */
function plansOf(run: (statements: Statements) => void): Map<string, string> {
  const database = new Database(":memory:")
  const queries = new Set<string>()
  const db = drizzle({ client: database })
  migrate(db, migrations)
  const prepare = database.query.bind(database)
  database.query = ((sql: string) => {
    queries.add(sql)
    return prepare(sql)
  }) as typeof database.query
  run(new Statements(db))
  const plans = new Map<string, string>()
  for (const sql of queries) {
    const rows = prepare<{ detail: string }, []>(`explain query plan ${sql}`).all()
    plans.set(sql, rows.map(({ detail }) => detail).join("; "))
  }
  return plans
}

const MOOD = { name: "mood", type: "text" } as const
const SCORE = { name: "score", type: "number" } as const

/** Queries by declared fields, as an order, as conditions, as both. */
function* fieldQueries(): Generator<SessionQuery> {
  const one = { field: MOOD, least: "calm", most: "calm" }
  const between = { field: SCORE, least: 1, most: 2 }
  const from = { field: MOOD, least: "a", most: undefined }
  for (const projectID of [undefined, "p"])
    for (const parentID of [undefined, "x"])
      for (const by of [undefined, MOOD, SCORE])
        for (const where of [undefined, [one], [between], [from], [one, between]])
          for (const direction of ["asc", "desc"] as const)
            if (by || where)
              yield { projectID, parentID, archived: "include", order: "updated", by, where, direction }
}

const UNREAD = { stamp: null, problem: null, problemMessage: null }

/** Every shape of session query there is. */
function* sessionQueries(): Generator<SessionQuery> {
  for (const projectID of [undefined, "p"])
    for (const parentID of [undefined, null, "x"])
      for (const directory of [undefined, "/w"])
        for (const archived of ["include", "exclude", "only"] as const)
          for (const updatedSince of [undefined, 5])
            for (const order of ["updated", "created"] as const)
              for (const direction of ["asc", "desc"] as const)
                yield { projectID, parentID, directory, archived, updatedSince, order, direction }
}

test("no listing, and no putting of a text, scans or sorts a whole table", () => {
  const plans = plansOf(({ listings, directories, texts, steps, session, message, part }) => {
    for (const query of sessionQueries())
      for (const after of [undefined, { time: 5, id: "ses_1" }]) listings.sessions(query, after, 50)
    for (const query of fieldQueries()) {
      for (const after of [undefined, { time: 5, id: "ses_1" }]) listings.sessions(query, after, 50)
      if (query.where) listings.countSessions(query)
    }
    for (const direction of ["asc", "desc"] as const)
      for (const after of [undefined, { time: 5, id: "msg_1" }]) listings.messages(1, direction, after, 50)
    directories.find({ kind: "part", folder: "x" })
    directories.findAll("part", ["x", "y"])
    directories.names("part", "", 10)
    const { id: directory } = directories.create({ kind: "message", folder: "ses_1" })
    message.put([{ ...UNREAD, directory, id: "msg_1", size: 0, created: 5, role: null, pending: 1 }])
    texts.put(texts.pending(undefined, 1).map((message) => ({ message, tokens: "one" })))
    texts.await(["msg_1"], 1)
    steps.maybeSeveral([1, 2])
    for (const table of [session, message, part]) {
      table.stamps(1, "", 10)
      table.firstStamps([1, 2], 10)
      table.stamps(1, "", 10, true)
      table.firstStamps([1, 2], 10, true)
      table.problems(1)
      table.folders("x")
      table.allProblems({ directory: 0, id: "" }, 10)
    }
  })
  expect(plans.size).toBeGreaterThan(100)
  for (const [sql, plan] of plans) {
    // An ordered walk along an index is what a listing is, and json_each a list of ours; a sort or a walk over the table itself is not.
    const bad = plan
      .split("; ")
      .filter(
        (step) =>
          /TEMP B-TREE/.test(step) ||
          (/^SCAN (?!json_each)/.test(step) && !/USING (?:COVERING )?INDEX/.test(step)),
      )
    // The few copies of one id are sorted by folder name; that is no table.
    if (/order by "directories"."name"/.test(sql) && bad.join() === "USE TEMP B-TREE FOR ORDER BY") continue
    expect(bad.map((step) => `${step} in ${sql}`)).toEqual([])
  }
})

test("a listing by a declared field follows the index of its values, without a look at the table of values", () => {
  const plans = plansOf(({ listings }) => {
    for (const query of fieldQueries()) if (query.by) listings.sessions(query, undefined, 50)
  })
  expect(plans.size).toBeGreaterThan(20)
  for (const [sql, plan] of plans)
    if (/^select/.test(sql))
      expect(plan).toMatch(/^SEARCH ordering USING COVERING INDEX session_fields_(?:value|project) \(name=\?/)
})
