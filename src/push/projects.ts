import { and, eq, inArray, sql } from "drizzle-orm"
import { isStoreError } from "../errors.ts"
import { projects } from "../postgres/schema.ts"
import type { Root } from "../root/root.ts"
import type { Begun } from "./begin.ts"
import type { Making } from "./local-session.ts"
import { publishableValue } from "./publishable.ts"
import { checkToken } from "./session-transaction.ts"

/** Publishes the projects' own records that are new or changed, of projects of which sessions are; gives how many. @throws as `publishSession` */
export async function pushProjects(
  { fleet, machine, token, isNew }: Begun,
  all: ReadonlyMap<string, Root>,
  { mask, counts }: Making,
  dryRun: boolean,
): Promise<number> {
  if (all.size === 0) return 0
  const before = new Map<string, string>()
  if (!isNew)
    for (const { id, body } of await fleet.read((db) =>
      db
        .select({ id: projects.id, body: projects.body })
        .from(projects)
        .where(and(eq(projects.machine, machine), inArray(projects.id, [...all.keys()]))),
    ))
      before.set(id, body)
  const rows: { machine: string; id: string; body: string }[] = []
  for (const [id, { records }] of all) {
    let value: unknown
    try {
      value = await records.value(["project", id])
    } catch (error) {
      // What cannot be read, or is not there, stays as it was published.
      if (!isStoreError(error) || error.code === "EXHAUSTED") throw error
      continue
    }
    const { text } = publishableValue(value, mask, counts)
    if (before.get(id) !== text) rows.push({ machine, id, body: text })
  }
  if (rows.length > 0 && !dryRun)
    await fleet.write(async (db) => {
      await checkToken(db, machine, token)
      await db
        .insert(projects)
        .values(rows)
        .onConflictDoUpdate({ target: [projects.machine, projects.id], set: { body: sql`excluded.body` } })
    })
  return rows.length
}
