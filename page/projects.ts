import { isJsonObject } from "../src/record/extract.ts"
import { type Api, objects } from "./api.ts"
import { baseName, textOf } from "./format.ts"
import { Model } from "./model.ts"

/** The projects of one work tree: agents have ids of their own for it. */
export interface ProjectGroup {
  /** At least one; the first names the group in addresses. */
  readonly ids: readonly string[]
  readonly name: string
  /** The work tree; empty where none is known. */
  readonly path: string
  /** Whose histories it is in, as `codex`. */
  readonly sources: readonly string[]
}

/** Reads what is shown of a group: its name, or the last name of its work tree. */
export function projectGroup(body: unknown): ProjectGroup | undefined {
  if (!isJsonObject(body) || !Array.isArray(body.ids)) return undefined
  const ids = body.ids.map(textOf).filter((id) => id !== "")
  const [first] = ids
  if (first === undefined) return undefined
  const path = textOf(body.worktree)
  return {
    ids,
    path,
    name: textOf(body.name) || (path === "/" ? "global" : baseName(path)) || first.slice(0, 12),
    sources: [...new Set(objects(body.projects).map(({ source }) => textOf(source)))],
  }
}

/** The projects of all sources, that with the newest session first. */
export class Projects extends Model {
  readonly #api: Api
  /** `undefined` until they are known. */
  groups: readonly ProjectGroup[] | undefined
  /** Each group by the ids of its projects. */
  byID: ReadonlyMap<string, ProjectGroup> = new Map()

  constructor(api: Api) {
    super()
    this.#api = api
  }

  /** Asks for them, at first and after changes. */
  async load(): Promise<void> {
    try {
      const bodies = objects(await this.#api.json("project?groups=true"))
      this.groups = bodies.map(projectGroup).filter((group) => group !== undefined)
    } catch {
      // Sessions can be read without the names of their projects; the list tells of a server that is gone.
      this.groups ??= []
    }
    this.byID = new Map(this.groups.flatMap((group) => group.ids.map((id) => [id, group])))
    this.changed()
  }
}
