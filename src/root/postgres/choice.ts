import { type SQL, sql } from "drizzle-orm"

/**
 * Of the copies that machines have of a session the one that counts: the newest `time.updated`, among equals this machine's own, then
 * that of the least machine id. The fragments below say the same in three ways; `me` is this machine's id, or empty.
 */

/** That the row `s` of sessions is the copy that counts: of one project, or of all. */
export function counts(me: string, projectID: string | undefined): SQL {
  const inProject = projectID === undefined ? sql`` : sql` and o.project = ${projectID}`
  return sql`not exists (select 1 from sessiondex.session o where o.id = s.id and o.machine <> s.machine${inProject}
    and (o.updated > s.updated
      or o.updated = s.updated and (o.machine = ${me} or s.machine <> ${me} and o.machine < s.machine)))`
}

/** The best of copies first, where they are the rows `s`. */
export function bestFirst(me: string): SQL {
  return sql`s.updated desc, s.machine = ${me} desc, s.machine`
}

/** What the row `s` of sessions tells of where it comes from: its machine's name, and those of other copies' machines. */
export function originColumns(): SQL {
  return sql`s.source,
    (select m.name from sessiondex.machine m where m.id = s.machine) as machine,
    array(select m.name from sessiondex.session o join sessiondex.machine m on m.id = o.machine
      where o.id = s.id and o.machine <> s.machine order by o.machine) as "alsoOn"`
}

/** The machine whose copy of a session counts; none where there is no such session. */
export function machineOf(me: string, session: string): SQL {
  return sql`(select s.machine from sessiondex.session s where s.id = ${session} order by ${bestFirst(me)} limit 1)`
}
