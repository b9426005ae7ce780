import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { encodeRecord } from "../../../src/record/json.ts"
import { ALL, conversation, FIXTURE, fixtureDatabase, idsOf, readerOf } from "./support.ts"

const ANSWERS = join(FIXTURE, "answers")

function answers(kind: string): [id: string, text: string][] {
  return readdirSync(ANSWERS)
    .filter((name) => name.startsWith(`${kind}-`))
    .map((name) => [name.slice(kind.length + 1, -".json".length), readFileSync(join(ANSWERS, name), "utf8")])
}

interface Body {
  readonly id: string
  readonly projectID: string
}

test("sessions are those that the release's own server answers with, body for body and in its order", async () => {
  using opened = readerOf(fixtureDatabase())
  const { reader, problems } = opened
  let seen = 0
  for (const [project, text] of answers("sessions")) {
    const wanted: Body[] = JSON.parse(text)
    seen += wanted.length
    const projectID = wanted[0]?.projectID ?? project
    const listed = await reader.sessions({ ...ALL, projectID }, { bodies: true })
    expect(listed.map(({ body = "" }) => JSON.parse(body))).toEqual(wanted)
    for (const body of wanted)
      expect(await reader.get("session", projectID, body.id)).toStrictEqual({ ...body })
    expect(await reader.countSessions({ ...ALL, projectID })).toBe(wanted.length)
  }
  expect(seen).toBe(9)
  expect(await idsOf(reader)).toHaveLength(9)
  expect(problems).toEqual([])
})

test("messages with their parts, children and todos are those of the server", async () => {
  using opened = readerOf(fixtureDatabase())
  const { reader, problems } = opened
  const messages = answers("messages")
  for (const [session, text] of messages) {
    const wanted: unknown[] = JSON.parse(text)
    expect(await conversation(reader, session)).toStrictEqual(wanted as never)
    expect(await reader.countMessages(session)).toBe(wanted.length)
  }
  for (const [parent, text] of answers("children")) {
    const wanted: Body[] = JSON.parse(text)
    const children = await reader.sessions({ ...ALL, parentID: parent })
    const bodies = await Promise.all(children.map(({ project, id }) => reader.get("session", project, id)))
    expect(bodies).toStrictEqual(wanted as never)
  }
  for (const [session, text] of answers("todo"))
    expect(await reader.todos(session)).toStrictEqual(JSON.parse(text))
  expect(messages).toHaveLength(9)
  expect(problems).toEqual([])
})

test("what is read, laid out as an export, is the release's own export byte for byte", async () => {
  using opened = readerOf(fixtureDatabase())
  const { reader } = opened
  const exports = answers("export")
  expect(exports).toHaveLength(9)
  for (const [id, wanted] of exports) {
    const [project = ""] = await reader.places("session", id)
    const info = await reader.get("session", project, id)
    expect(`${encodeRecord({ info, messages: await conversation(reader, id) })}\n`).toBe(wanted)
  }
})

test("every record is found by its id, and its text says what its body says", async () => {
  using opened = readerOf(fixtureDatabase())
  const { reader } = opened
  for (const [session, text] of answers("messages"))
    for (const { info, parts } of JSON.parse(text) as { info: Body; parts: Body[] }[]) {
      expect(await reader.places("message", info.id)).toEqual([session])
      expect(JSON.parse(await textOf(reader.text("message", session, info.id)))).toEqual(info)
      expect(await reader.ids("part", info.id)).toEqual(parts.map(({ id }) => id))
      for (const part of parts) {
        expect(await reader.guessFolder("part", part.id)).toBe(info.id)
        expect(JSON.parse(await textOf(reader.text("part", info.id, part.id)))).toEqual(part)
      }
    }
  expect(await reader.places("session", "ses_none")).toEqual([])
  expect(await reader.get("message", "ses_none", "msg_none")).toBeUndefined()
  expect(await reader.text("part", "msg_none", "prt_none")).toBeUndefined()
})

test("projects are those of the table, and secrets are under no key", async () => {
  using opened = readerOf(fixtureDatabase())
  const { reader } = opened
  const projects = await reader.projects()
  expect(projects.map(({ worktree }) => worktree)).toEqual(["/home/dev/app", "/home/dev/lib"])
  expect(projects[0]).toStrictEqual({
    id: "baf73072cbeaa886d78b17267ccbc83df8144593",
    worktree: "/home/dev/app",
    vcs: "git",
    time: { created: 1795681074326, updated: 1795681610685 },
    sandboxes: [],
  })
  expect(await reader.value(["project", String(projects[0]?.id)])).toEqual(projects[0])
  for (const key of [
    ["account", "x"],
    ["credential", "x"],
    ["session_share", "ses_de9114157ffeUhFPlpgXld7zEY"],
  ])
    expect(await reader.value(key)).toBeUndefined()
  const session = "ses_de9114157ffeUhFPlpgXld7zEY"
  expect(await reader.copies([session, "ses_none"])).toEqual(
    new Map([[session, { project: "baf73072cbeaa886d78b17267ccbc83df8144593", updated: 1795681085027 }]]),
  )
})

async function textOf(pieces: Promise<AsyncIterable<string> | undefined>): Promise<string> {
  let text = ""
  for await (const piece of (await pieces) ?? []) text += piece
  return text
}
