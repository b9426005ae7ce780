import { checkKey } from "../record/key.ts"

/** The id of a project, or several ids, such as the `ids` of a group. */
export type ProjectFilter = string | readonly string[]

/** The ids of a filter, each once; `[undefined]` for all projects. @throws StoreError `INVALID_KEY` */
export function ofProjects(project: ProjectFilter | undefined): readonly (string | undefined)[] {
  if (project === undefined) return [undefined]
  const ids = isList(project) ? project : [project]
  for (const id of ids) checkKey([id])
  return [...new Set(ids)]
}

function isList(project: ProjectFilter): project is readonly string[] {
  return Array.isArray(project)
}
