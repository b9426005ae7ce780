import { isJsonObject } from "../src/record/extract.ts"
import { baseName, textOf } from "./format.ts"

/** The projects of one work tree: each agent has its own id for it. */
export interface ProjectGroup {
  /** At least one, in the server's order; the first names the group in addresses. */
  readonly ids: readonly string[]
  readonly name: string
  /** The work tree; empty where the project names none. */
  readonly path: string
}

/** A project as its record says it. */
interface Project {
  readonly id: string
  readonly name: string
  readonly path: string
}

/** Groups of projects by their work trees, in the order of their names. */
export function projectGroups(bodies: readonly unknown[]): ProjectGroup[] {
  const groups = new Map<string, Project[]>()
  for (const body of bodies) {
    const project = readProject(body)
    if (!project) continue
    // "/" is where what belongs to no work tree lies: nothing else is of one tree with it.
    const key = project.path === "" || project.path === "/" ? `id ${project.id}` : project.path
    const group = groups.get(key)
    if (group) group.push(project)
    else groups.set(key, [project])
  }
  return [...groups.values()]
    .map((projects) => {
      const { id = "", path = "" } = projects[0] ?? {}
      const name = projects.find(({ name }) => name !== "")?.name
      return {
        ids: projects.map(({ id }) => id),
        path,
        name: name ?? ((path === "/" ? "global" : baseName(path)) || id.slice(0, 12)),
      }
    })
    .sort((a, b) => a.name.localeCompare(b.name) || (a.path < b.path ? -1 : 1))
}

function readProject(body: unknown): Project | undefined {
  if (!isJsonObject(body)) return undefined
  const id = textOf(body.id)
  return id === "" ? undefined : { id, name: textOf(body.name), path: textOf(body.worktree) }
}

/** Each group by the ids of its projects. */
export function groupsByID(groups: readonly ProjectGroup[]): ReadonlyMap<string, ProjectGroup> {
  return new Map(groups.flatMap((group) => group.ids.map((id) => [id, group])))
}
