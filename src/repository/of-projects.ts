import { checkKey } from "../record/key.ts"

/** Of which projects: the id of one, or several, as the `ids` of a group. */
export type ProjectFilter = string | readonly string[]

/** The ids that are meant, each once; `[undefined]` where all projects are. @throws StoreError `INVALID_KEY` */
export function ofProjects(project: ProjectFilter | undefined): readonly (string | undefined)[] {
  if (project === undefined) return [undefined]
  const ids = isList(project) ? project : [project]
  for (const id of ids) checkKey([id])
  return [...new Set(ids)]
}

function isList(project: ProjectFilter): project is readonly string[] {
  return Array.isArray(project)
}
