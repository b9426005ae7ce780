import { sessionFields } from "../record/extract.ts"
import { compareText } from "../record/order.ts"
import type { Root } from "../root/root.ts"
import { namesOf, ofSource, type SourceFilter } from "./of-source.ts"
import type { Roots } from "./roots.ts"

/** A project in one place. */
export interface GroupedProject {
  readonly id: string
  /** The agent whose history it is in, such as `codex`. */
  readonly source: string
  /** The place it is read from. */
  readonly origin: string
  /** How many of its sessions are read from there. */
  readonly sessions: number
}

/** All projects, in all places, with the same work tree. */
export interface ProjectGroup {
  /** `null` if neither a project's record nor its newest session names one. */
  readonly worktree: string | null
  /** The name in a project's record. */
  readonly name?: string
  /** When one of its sessions was last updated, ms since 1970; `null` without sessions. */
  readonly updated: number | null
  /** How many sessions all its projects have, each counted once. */
  readonly sessions: number
  /** The ids of its projects, each once. */
  readonly ids: readonly string[]
  /** Ordered by place, the store's own first, then by id. */
  readonly projects: readonly GroupedProject[]
}

/** Which projects to group. */
export interface ProjectGroupOptions {
  /** Only projects in the history of this agent, or these. */
  source?: SourceFilter | undefined
  signal?: AbortSignal | undefined
}

/** What was found about one project id in all places. */
interface Found {
  /** How many of its sessions are read from each place, by agent. */
  readonly places: Map<Root, Map<string, number>>
  /** The places that have a record of it, the store's own first. */
  readonly recorded: Root[]
  /** Its newest session. */
  newest?: { readonly root: Root; readonly id: string; readonly time: number }
}

/**
 * Groups projects by their work trees. The group whose session was updated last comes first; groups without sessions come last, by work
 * tree. One listing of all sessions tells what is read from where. Projects with one id are one project, whatever their records say.
 */
export async function groupProjects(roots: Roots, options: ProjectGroupOptions): Promise<ProjectGroup[]> {
  const { signal } = options
  const isMeant = ofSource(options.source) ?? (() => true)
  const found = new Map<string, Found>()
  const findIn = (root: Root, id: string): Found => {
    const project = found.get(id) ?? { places: new Map(), recorded: [] }
    found.set(id, project)
    if (!project.places.has(root)) project.places.set(root, new Map())
    return project
  }
  const sources = namesOf(options.source)
  const query = { sources, archived: "include", order: "updated", direction: "desc" } as const
  for (const { root, project, id, time, from } of await roots.sessions(query, { signal }, isMeant)) {
    const of = findIn(root, project)
    const bySource = of.places.get(root)
    const source = from?.source ?? root.source
    bySource?.set(source, (bySource.get(source) ?? 0) + 1)
    of.newest ??= { root, id, time }
  }
  for (const root of roots.reachable().filter(isMeant)) {
    // In a root with several agents a project without sessions has no known agent.
    const isMeantWhole = sources === undefined || root.origins === undefined
    for (const id of await root.records.plainIds("project"))
      if (isMeantWhole || found.get(id)?.places.has(root)) findIn(root, id).recorded.push(root)
    for (const id of isMeantWhole ? await root.records.folders("session") : []) findIn(root, id)
  }
  const groups = new Map<string, Group>()
  for (const [id, project] of found) {
    signal?.throwIfAborted()
    const { worktree, name } = await told(id, project)
    const key = worktree === undefined ? `id ${id}` : `at ${worktree}`
    const group: Group = groups.get(key) ?? { worktree, members: [] }
    group.name ??= name
    group.members.push({ id, project })
    groups.set(key, group)
  }
  return [...groups.values()].map((group) => shown(group, roots.all)).sort(compareGroups)
}

interface Group {
  readonly worktree: string | undefined
  name?: string | undefined
  readonly members: { readonly id: string; readonly project: Found }[]
}

/** A project's work tree and name, from the first record that has them; without one, the folder that its newest session ran in. */
async function told(
  id: string,
  { recorded, newest }: Found,
): Promise<{ worktree: string | undefined; name: string | undefined }> {
  let worktree: string | undefined
  let name: string | undefined
  for (const { records } of recorded) {
    const body = await records.readPlain("project", id)
    worktree ??= text(body?.worktree)
    name ??= text(body?.name)
  }
  if (worktree === undefined && newest) {
    const [body] = await newest.root.records.read("session", id, [newest.id])
    worktree = body && (sessionFields(body).directory ?? undefined)
  }
  return { worktree: worktree?.replace(/(?<=[^/\\:])[/\\]+$/, ""), name }
}

function shown({ worktree, name, members }: Group, order: readonly Root[]): ProjectGroup {
  const projects = order.flatMap((root) =>
    members
      .flatMap(({ id, project }) => {
        const bySource = project.places.get(root)
        const counts = bySource?.size === 0 ? [[root.source, 0] as const] : [...(bySource ?? [])]
        return counts.map(([source, sessions]) => ({ id, source, origin: root.place, sessions }))
      })
      .sort((a, b) => compareText(a.id, b.id) || compareText(a.source, b.source)),
  )
  const times = members.flatMap(({ project }) => project.newest?.time ?? [])
  return {
    worktree: worktree ?? null,
    ...(name !== undefined && { name }),
    updated: times.length === 0 ? null : Math.max(...times),
    sessions: projects.reduce((sum, { sessions }) => sum + sessions, 0),
    ids: [...new Set(projects.map(({ id }) => id))],
    projects,
  }
}

function compareGroups(a: ProjectGroup, b: ProjectGroup): number {
  const least = Number.NEGATIVE_INFINITY
  if (a.updated !== b.updated) return (b.updated ?? least) - (a.updated ?? least)
  return compareText(a.worktree ?? "", b.worktree ?? "") || compareText(a.ids[0] ?? "", b.ids[0] ?? "")
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined
}
