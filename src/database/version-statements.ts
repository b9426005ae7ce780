import { and, eq, sql } from "drizzle-orm"
import { alias } from "drizzle-orm/sqlite-core"
import { KNOWN_BYTES } from "../file/stamp.ts"
import { amongst } from "./amongst.ts"
import type { Drizzle } from "./drizzle.ts"
import { lazy } from "./lazy.ts"
import { directories, messages, parts, sessions } from "./schema.ts"
import { soundText } from "./sound.ts"

const unknown = (stamp: { getSQL(): ReturnType<typeof sql> } | unknown) =>
  sql`(${stamp} is null or length(${stamp}) <> ${KNOWN_BYTES})`

const ofParts = alias(directories, "of_parts")

/** Prepared statements that tell the versions of whole sessions. */
export class VersionStatements {
  readonly #sessions
  readonly #messages

  constructor(db: Drizzle) {
    this.#sessions = lazy(() =>
      db
        .select({
          project: sessions.project,
          id: sessions.id,
          version: sql<
            string | null
          >`case when ${unknown(sessions.stamp)} then null else hex(${sessions.stamp}) || ' ' || ${sessions.size} end`,
        })
        .from(sessions)
        .where(amongst(sessions.id, "ids"))
        .prepare(),
    )
    // A folder's id is never reused and its generation only grows. So with the same messages these sums are equal only if all ids and
    // generations are.
    const doubtful = sql`(select count(*) from ${parts} where ${parts.directory} = ${ofParts.id} and ${unknown(parts.stamp)})`
    this.#messages = lazy(() =>
      db
        .select({
          session: directories.name,
          version: sql<
            string | null
          >`case when ${unknown(directories.stamp)} or sum(${messages.row} is not null and ${unknown(messages.stamp)})
            + sum(${ofParts.id} is not null and ${unknown(ofParts.stamp)}) + total(${doubtful}) > 0 then null
            else ${directories.id} || ' ' || ${directories.generation} || ' ' || count(${ofParts.id}) || ' '
              || coalesce(sum(${ofParts.id}), 0) || ' ' || coalesce(sum(${ofParts.generation}), 0) end`,
        })
        .from(directories)
        .leftJoin(messages, eq(messages.directory, directories.id))
        .leftJoin(ofParts, and(eq(ofParts.kind, "part"), eq(ofParts.name, messages.id)))
        .where(and(eq(directories.kind, "message"), amongst(directories.name, "ids")))
        .groupBy(directories.id)
        .prepare(),
    )
  }

  /** The versions of these sessions' own files, by `project/id`; none if the stamp is not proven. */
  sessions(ids: readonly string[]): Map<string, string> {
    const versions = new Map<string, string>()
    for (const { project, id, version } of this.#sessions().all({ ids: JSON.stringify(ids) }))
      if (version !== null)
        versions.set(`${soundText("project", project)}/${soundText("id", id)}`, soundText("version", version))
    return versions
  }

  /** The versions of all messages and parts of these sessions, by session; `null` if not all stamps are proven, none without messages. */
  messages(ids: readonly string[]): Map<string, string | null> {
    const versions = new Map<string, string | null>()
    for (const { session, version } of this.#messages().all({ ids: JSON.stringify(ids) }))
      versions.set(soundText("session", session), version === null ? null : soundText("version", version))
    return versions
  }
}
