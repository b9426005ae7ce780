import { expect, test } from "bun:test"
import { openStore, postgres } from "../../src/index.ts"
import { pushed } from "../push/pushing.ts"
import { describePostgres } from "../support/postgres.ts"
import { message, part, session } from "../support/records.ts"
import { put, tempFolder } from "../support/temp.ts"

const LONG = `漢字 ${"a zebra and more ".repeat(16_000)}`

/** What is planted, and which record it has to be noticed of. */
const PLANTED: readonly (readonly [sql: string, record: string])[] = [
  ["session set parent = 'ses_other'", "session/ses_1"],
  ["session set directory = '/elsewhere'", "session/ses_1"],
  ["session set title = 'another'", "session/ses_1"],
  ["session set folded = 'another'", "session/ses_1"],
  ["session set created = 7", "session/ses_1"],
  ["session set updated = 7", "session/ses_1"],
  ["session set archived = true", "session/ses_1"],
  ["message set created = 7 where id = 'msg_1'", "message/ses_1/msg_1"],
  ["message set role = 'nobody' where id = 'msg_1'", "message/ses_1/msg_1"],
  ["part set type = 'tool' where id = 'prt_1'", "part/msg_1/prt_1"],
  ["part set tool = 'bash' where id = 'prt_1'", "part/msg_1/prt_1"],
  ["session set body = '{'", "session/ses_1"],
  ["message set body = '[]' where id = 'msg_1'", "message/ses_1/msg_1"],
  ["part set body = 'none' where id = 'prt_1'", "part/msg_1/prt_1"],
  ["text set folded = 'another' where message = 'msg_1'", "message/ses_1/msg_1"],
  ["text set grams = '{}' where message = 'msg_2' and piece = 0", "message/ses_1/msg_2"],
  ["text set created = 7 where message = 'msg_1'", "message/ses_1/msg_1"],
  ["text set role = 'nobody' where message = 'msg_1'", "message/ses_1/msg_1"],
  ["text set whole = not whole where message = 'msg_2' and piece = 1", "message/ses_1/msg_2"],
  ["text set piece = 9 where message = 'msg_2' and piece = 1", "message/ses_1/msg_2"],
]

function store(): string {
  const directory = tempFolder()
  put(directory, "session/proj/ses_1.json", session("ses_1", { title: "A Title" }))
  for (const [at, text] of ["short", LONG].entries()) {
    const id = `msg_${at + 1}`
    put(directory, `message/ses_1/${id}.json`, message(id, "ses_1", at))
    put(directory, `part/${id}/prt_${at + 1}.json`, part(`prt_${at + 1}`, id, text))
  }
  return directory
}

describePostgres("verifying a fleet", (server) => {
  test("whatever is derived and does not say what its body does is named, and nothing else", async () => {
    const url = await server.database()
    await pushed(store(), url, { mask: false })
    await using fleet = await openStore({
      directory: tempFolder(),
      roots: [postgres(url)],
      backgroundIndex: false,
    })
    const whole = {
      ok: true,
      checked: { sessions: 1, messages: 2, parts: 2 },
      differences: [],
      duplicates: [],
    }
    expect(await fleet.verify()).toEqual(whole)
    const [machine] = await server.sql("select id from sessiondex.machine", url)
    const names = ["session", "message", "part", "text"]
    await server.sql(
      names.map((name) => `create table kept_${name} as select * from sessiondex.${name}`).join(";"),
      url,
    )
    const back = [
      "delete from sessiondex.session",
      ...names.map((name) => `insert into sessiondex.${name} select * from kept_${name}`),
    ].join(";")
    for (const [sql, record] of PLANTED) {
      await server.sql(`update sessiondex.${sql}`, url)
      const { ok, differences } = await fleet.verify()
      expect({ sql, ok, differences }).toEqual({
        sql,
        ok: false,
        differences: [
          { path: expect.stringMatching(new RegExp(`#${record}@${machine?.id}$`)), kind: "wrong" },
        ],
      })
      await server.sql(back, url)
    }
    for (const gone of [
      "delete from sessiondex.text where message = 'msg_1'",
      "delete from sessiondex.part where id = 'prt_1'",
    ]) {
      await server.sql(gone, url)
      expect((await fleet.verify()).differences).toHaveLength(1)
      await server.sql(back, url)
    }
    expect(await fleet.verify()).toEqual(whole)
  })

  test("a server that cannot be asked is no fleet without differences", async () => {
    await using fleet = await openStore({
      directory: tempFolder(),
      roots: [postgres("postgres://nobody@127.0.0.1:1/none")],
      backgroundIndex: false,
    })
    await expect(fleet.verify()).rejects.toMatchObject({ code: "FLEET_UNAVAILABLE" })
  })
})
