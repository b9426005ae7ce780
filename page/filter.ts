import type { ProjectGroup } from "./projects.ts"

/** Which sessions the page is about. */
export interface Filter {
  readonly project?: ProjectGroup | undefined
  /** Whose history, as `codex`. */
  readonly source?: string | undefined
}

/** What a request asks for by a filter. Several projects of one work tree are asked for by that. */
export function filterParameters({ project, source }: Filter): Record<string, string> {
  const [id, ...more] = project?.ids ?? []
  return {
    ...(project && (id !== undefined && more.length === 0 ? { project: id } : { directory: project.path })),
    ...(source !== undefined && { source }),
  }
}

/** Whether a session is one that a filter asks for. */
export function isMeant(
  { project, source }: Filter,
  session: { readonly projectID: string; readonly directory: string; readonly source: string },
): boolean {
  if (source !== undefined && session.source !== source) return false
  if (!project) return true
  return project.ids.length === 1 ? session.projectID === project.ids[0] : session.directory === project.path
}

/** A text by which filters can be told apart. */
export function filterKey(filter: Filter): string {
  return JSON.stringify(filterParameters(filter))
}
