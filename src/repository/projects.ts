import { isStoreError, StoreError } from "../errors.ts"
import { loaded } from "../exhaustion.ts"
import { isJsonObject, type JsonObject } from "../record/extract.ts"
import { checkKey } from "../record/key.ts"
import { compareText } from "../record/order.ts"
import type { Root } from "../root/root.ts"
import type { ProjectGroup, ProjectGroupOptions } from "./project-groups.ts"
import type { Roots } from "./roots.ts"

/** Projects, straight from their records. If several roots have one with the same id, the first root's counts. */
export class ProjectRepository<J> {
  readonly #roots: Roots

  constructor(roots: Roots) {
    this.#roots = roots
  }

  /**
   * One project by its id, `undefined` if there is none.
   * @throws StoreError `CORRUPT`, `TOO_LARGE`, `UNREADABLE`, `NOT_A_FILE`, `INVALID_KEY`, `EXHAUSTED`
   */
  async get(id: string): Promise<J | undefined> {
    checkKey([id])
    for (const root of this.#roots.all) {
      const body = await readProject(root, id)
      // As everywhere, the id in the key counts.
      if (body) return { ...body, id } as J
    }
    return undefined
  }

  /** Yields the ids of all projects, in the order of ids, also of those that have sessions but no record. */
  async *ids(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<string> {
    const ids = new Set<string>()
    for (const { records } of this.#roots.all) {
      for (const id of await records.plainIds("project")) ids.add(id)
      for (const id of await records.folders("session")) ids.add(id)
    }
    for (const id of [...ids].sort(compareText)) {
      options.signal?.throwIfAborted()
      yield id
    }
  }

  /** Yields all projects in the order of ids. What cannot be read is skipped and reported. */
  async *list(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<J> {
    const found = new Map<string, Root>()
    for (const root of this.#roots.all.toReversed())
      for (const id of await root.records.plainIds("project")) found.set(id, root)
    for (const [id, { records }] of [...found].sort(([a], [b]) => compareText(a, b))) {
      options.signal?.throwIfAborted()
      const body = await records.readPlain("project", id)
      if (body) yield { ...body, id } as J
    }
  }

  /**
   * Yields projects grouped by their work trees, over all places. The group whose session was updated last comes first. The `ids` of a group
   * can be given as `projectID` to other calls.
   * @throws TypeError; StoreError `EXHAUSTED`; the signal's reason
   */
  async *groups(options: ProjectGroupOptions = {}): AsyncGenerator<ProjectGroup> {
    const { groupProjects } = await loaded(() => import("./project-groups.ts"))
    for (const group of await groupProjects(this.#roots, options)) {
      options.signal?.throwIfAborted()
      yield group
    }
  }
}

async function readProject({ records }: Root, id: string): Promise<JsonObject | undefined> {
  const key = ["project", id]
  try {
    const value = await records.value(key)
    if (isJsonObject(value)) return value
  } catch (error) {
    if (isStoreError(error, "NOT_FOUND")) return undefined
    throw error
  }
  const path = records.locate(key)
  throw new StoreError("CORRUPT", `The file's JSON is not an object: ${path}`, { path })
}
