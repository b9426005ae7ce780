import { type SQL, sql } from "drizzle-orm"

/**
 * Of a session's copies on several machines one counts: the one with the newest `time.updated`; among equals this machine's own, then the
 * one with the least machine id. The fragments below say this in three ways. `me` is this machine's id, or empty.
 */

/** The condition that the row `s` of sessions is the copy that counts, in one project or in all. */
export function counts(me: string, projectID: string | undefined): SQL {
  const inProject = projectID === undefined ? sql`` : sql` and o.project = ${projectID}`
  return sql`not exists (select 1 from sessiondex.session o where o.id = s.id and o.machine <> s.machine${inProject}
    and (o.updated > s.updated
      or o.updated = s.updated and (o.machine = ${me} or s.machine <> ${me} and o.machine < s.machine)))`
}

/** The order that puts the copy that counts first among rows `s`. */
export function bestFirst(me: string): SQL {
  return sql`s.updated desc, s.machine = ${me} desc, s.machine`
}

/** The columns of a row `s` that tell its origin: the agent, its machine's name, and the names of other machines with a copy. */
export function originColumns(): SQL {
  return sql`s.source,
    (select m.name from sessiondex.machine m where m.id = s.machine) as machine,
    array(select m.name from sessiondex.session o join sessiondex.machine m on m.id = o.machine
      where o.id = s.id and o.machine <> s.machine order by o.machine) as "alsoOn"`
}

/** The id of the machine whose copy of a session counts; NULL if there is no such session. */
export function machineOf(me: string, session: string): SQL {
  return sql`(select s.machine from sessiondex.session s where s.id = ${session} order by ${bestFirst(me)} limit 1)`
}
