import * as fs from "node:fs"
import { join } from "node:path"
import type { PostgresServer } from "../support/postgres.ts"

/** What is published of a session, as far as people see it: bodies, in their order. */
export interface PlainSession {
  readonly project: string
  readonly body: unknown
  readonly messages: readonly { readonly body: unknown; readonly parts: readonly unknown[] }[]
  readonly sides: Readonly<Record<string, unknown>>
}

/** The sessions of each machine, by the machine's name and the session's id, as the tables hold them. */
export async function publishedIn(
  server: PostgresServer,
  url: string,
  machine?: string,
): Promise<Record<string, Record<string, PlainSession>>> {
  const named = machine === undefined ? "true" : `m.name = '${machine}'`
  const rows = async (columns: string, table: string, order: string) =>
    await server.sql(
      `select m.name as by, t.${columns.split(", ").join(", t.")} from sessiondex.${table} t join sessiondex.machine m on m.id = t.machine where ${named} order by m.name, ${order}`,
      url,
    )
  type Built = Omit<PlainSession, "messages"> & {
    messages: { id: string; body: unknown; parts: unknown[] }[]
    sides: Record<string, unknown>
  }
  const all: Record<string, Record<string, Built>> = {}
  for (const { name } of await server.sql(`select name from sessiondex.machine m where ${named}`, url))
    all[String(name)] = {}
  const of = (row: Record<string, unknown>): Built => {
    const found = all[String(row.by)]?.[String(row.session)]
    if (!found) throw new Error(`A row without its session: ${JSON.stringify(row)}`)
    return found
  }
  for (const row of await rows("id, project, body", "session", "t.id")) {
    const sessions = all[String(row.by)] ?? {}
    sessions[String(row.id)] = {
      project: String(row.project),
      body: JSON.parse(String(row.body)),
      messages: [],
      sides: {},
    }
  }
  for (const row of await rows("session, id, body", "message", "t.created, t.id"))
    of(row).messages.push({ id: String(row.id), body: JSON.parse(String(row.body)), parts: [] })
  for (const row of await rows("session, message, body", "part", "t.position, t.id"))
    of(row)
      .messages.find(({ id }) => id === row.message)
      ?.parts.push(JSON.parse(String(row.body)))
  for (const row of await rows("session, kind, body", "side", "t.kind"))
    of(row).sides[String(row.kind)] = JSON.parse(String(row.body))
  return Object.fromEntries(
    Object.entries(all).map(([machine, sessions]) => [
      machine,
      Object.fromEntries(
        Object.entries(sessions).map(([id, session]) => [
          id,
          { ...session, messages: session.messages.map(({ body, parts }) => ({ body, parts })) },
        ]),
      ),
    ]),
  )
}

/** What a store of JSON files has to look like there, as the plainest code reads it: nothing is masked, and ids are those of the files' places. */
export function plainSessions(directory: string): Record<string, PlainSession> {
  const names = (path: string): string[] =>
    fs.existsSync(join(directory, path)) ? fs.readdirSync(join(directory, path)).sort() : []
  const read = (path: string, ids: object): Record<string, unknown> => ({
    ...JSON.parse(fs.readFileSync(join(directory, path), "utf8")),
    ...ids,
  })
  const sessions: Record<string, PlainSession> = {}
  for (const projectID of names("session"))
    for (const file of names(`session/${projectID}`)) {
      const id = file.slice(0, -5)
      const { share: _, ...body } = read(`session/${projectID}/${file}`, { id, projectID })
      const messages = names(`message/${id}`)
        .map((name) => read(`message/${id}/${name}`, { id: name.slice(0, -5), sessionID: id }))
        .sort((a, b) => createdOf(a) - createdOf(b) || (String(a.id) < String(b.id) ? -1 : 1))
        .map((message) => ({
          body: message,
          parts: names(`part/${message.id}`).map((name) =>
            read(`part/${message.id}/${name}`, { id: name.slice(0, -5), messageID: message.id }),
          ),
        }))
      const sides = Object.fromEntries(
        ["todo", "session_diff"].flatMap((kind) =>
          fs.existsSync(join(directory, kind, file))
            ? [[kind, JSON.parse(fs.readFileSync(join(directory, kind, file), "utf8"))]]
            : [],
        ),
      )
      sessions[id] = { project: projectID, body, messages, sides }
    }
  return sessions
}

function createdOf({ time }: Record<string, unknown>): number {
  return typeof time === "object" && time !== null && "created" in time ? Number(time.created) : 0
}
