import { Database } from "bun:sqlite"
import { copyFileSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import type { JsonObject } from "../../../src/record/extract.ts"
import type { SessionQuery } from "../../../src/record/query.ts"
import { OpencodeReader, type ReaderOptions } from "../../../src/root/opencode/reader.ts"
import type { Problem } from "../../../src/root/opencode/trouble.ts"
import { tempFolder, treePath } from "../../support/temp.ts"

export const FIXTURE = treePath("opencode-1.18.34")

/** All sessions, newest first. */
export const ALL: SessionQuery = { archived: "include", order: "updated", direction: "desc" }

/** A copy of the database that release 1.18.34 wrote, in a folder of its own. */
export function fixtureDatabase(): string {
  const path = join(tempFolder(), "opencode.db")
  copyFileSync(join(FIXTURE, "opencode.db"), path)
  return path
}

/** A database made of these statements, in rollback mode. */
export function databaseOf(statements: string, path = join(tempFolder(), "opencode.db")): string {
  const db = new Database(path, { create: true })
  // Flushing each row would take longer than the test.
  db.run("PRAGMA synchronous = OFF")
  db.run(`BEGIN; ${statements}; COMMIT`)
  db.close()
  return path
}

/** The one of opencode 2 that was made by hand. */
export function laterDatabase(): string {
  return databaseOf(readFileSync(join(treePath("opencode-2.x"), "make.sql"), "utf8"))
}

/** The tables as release 1.2.1 made them, and the columns that messages and parts have to this day. */
export const SCHEMA_1_2 = `
  CREATE TABLE session (id text PRIMARY KEY, project_id text NOT NULL, parent_id text, slug text NOT NULL, directory text NOT NULL,
    title text NOT NULL, version text NOT NULL, share_url text, summary_additions integer, summary_deletions integer,
    summary_files integer, summary_diffs text, revert text, permission text, time_created integer NOT NULL,
    time_updated integer NOT NULL, time_compacting integer, time_archived integer);
  CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL, time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);
  CREATE TABLE part (id text PRIMARY KEY, message_id text NOT NULL, session_id text NOT NULL, time_created integer NOT NULL,
    time_updated integer NOT NULL, data text NOT NULL);
  CREATE INDEX message_session_time_created_id_idx ON message (session_id, time_created, id);
  CREATE INDEX part_message_id_id_idx ON part (message_id, id);
  CREATE INDEX part_session_idx ON part (session_id);`

export interface SessionFields {
  readonly id: string
  readonly updated?: number
  readonly created?: number
  readonly project?: string
  readonly parent?: string | null
  readonly title?: string
  readonly directory?: string
  readonly archived?: number | null
}

/** An insertion of a session. */
export function sessionRow(fields: SessionFields, table = "session"): string {
  const {
    id,
    updated = 1,
    created = 1,
    project = "p",
    parent = null,
    title = id,
    directory = "/d",
    archived = null,
  } = fields
  const values = [id, project, parent, "slug", directory, title, "1", created, updated, archived].map(literal)
  return `INSERT INTO ${table} (id, project_id, parent_id, slug, directory, title, version, time_created, time_updated, time_archived)
    VALUES (${values.join(", ")});`
}

export function messageRow(
  id: string,
  session: string,
  created: number,
  data: unknown = { role: "user", time: { created } },
): string {
  return `INSERT INTO message VALUES (${[id, session, created, created, textOf(data)].map(literal).join(", ")});`
}

export function partRow(
  id: string,
  message: string,
  session: string,
  data: unknown = { type: "text", text: id },
): string {
  return `INSERT INTO part VALUES (${[id, message, session, 1, 1, textOf(data)].map(literal).join(", ")});`
}

function textOf(data: unknown): string {
  return typeof data === "string" ? data : JSON.stringify(data)
}

function literal(value: string | number | null): string {
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value)
}

/** A reader that is closed with its test, and what it told. */
export function readerOf(path: string, options: Omit<ReaderOptions, "onProblem"> = {}) {
  const problems: Problem[] = []
  const reader = new OpencodeReader(path, { ...options, onProblem: (problem) => problems.push(problem) })
  return { reader, problems, [Symbol.dispose]: () => reader.close() }
}

export async function idsOf(reader: OpencodeReader, query: SessionQuery = ALL): Promise<string[]> {
  return (await reader.sessions(query)).map(({ id }) => id)
}

/** The ids of a session's messages in order. */
export async function messageIds(
  reader: OpencodeReader,
  session: string,
  direction: "asc" | "desc" = "asc",
): Promise<string[]> {
  const ids: string[] = []
  for await (const run of reader.messages(session, direction)) ids.push(...run.map(({ id }) => id))
  return ids
}

/** A session's messages with their parts, oldest first. */
export async function conversation(
  reader: OpencodeReader,
  session: string,
): Promise<{ info: JsonObject; parts: JsonObject[] }[]> {
  const messages: { info: JsonObject; parts: JsonObject[] }[] = []
  for await (const run of reader.messages(session, "asc")) {
    const ids = run.map(({ id }) => id)
    const infos = await reader.bodies("message", session, ids)
    const parts = await reader.partsOf(ids)
    for (const [at, id] of ids.entries()) {
      const info = infos[at]
      if (info) messages.push({ info, parts: parts.get(id) ?? [] })
    }
  }
  return messages
}

/**
 * Every file of a folder with its bytes, inode and times, to show that nothing was touched; but for the change times of a WAL and its
 * index, since SQLite, run by root, gives them to the database's owner whoever owns them.
 */
export function looks(folder: string): Record<string, unknown> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => {
        const path = join(folder, name)
        const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
        const hash = Bun.hash(readFileSync(path))
        return [name, { ino, size, mtimeNs, ...(name.endsWith(".db") && { ctimeNs }), hash }]
      }),
  )
}

/** A process that writes as the agent does. */
export async function startAgent(path: string, mode = "") {
  const process = Bun.spawn(["bun", join(import.meta.dir, "agent.ts"), path, mode], {
    stdin: "pipe",
    stdout: "pipe",
  })
  const reader = process.stdout.getReader()
  const decoder = new TextDecoder()
  let held = ""
  const line = async (): Promise<string> => {
    while (!held.includes("\n")) {
      const { value, done } = await reader.read()
      if (done) return ""
      held += decoder.decode(value, { stream: true })
    }
    const end = held.indexOf("\n")
    const text = held.slice(0, end)
    held = held.slice(end + 1)
    return text
  }
  await line()
  return {
    async say(command: string): Promise<string> {
      process.stdin.write(`${command.replaceAll("\n", " ")}\n`)
      process.stdin.flush()
      return line()
    },
    async kill(): Promise<void> {
      process.kill("SIGKILL")
      await process.exited
    },
    exited: process.exited,
    async [Symbol.asyncDispose](): Promise<void> {
      process.kill("SIGKILL")
      await process.exited
    },
  }
}
