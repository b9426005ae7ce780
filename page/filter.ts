import type { ProjectGroup } from "./projects.ts"

/** Which sessions the page is about. */
export interface Filter {
  readonly project?: ProjectGroup | undefined
  /** Whose history, as `codex`. */
  readonly source?: string | undefined
}

/** What a request asks for by a filter: the projects of a group each by its id. */
export function filterParameters({ project, source }: Filter): [name: string, value: string][] {
  return [
    ...(project?.ids.map((id): [string, string] => ["project", id]) ?? []),
    ...(source === undefined ? [] : [["source", source] as [string, string]]),
  ]
}

/** Whether a session is one that a filter asks for. */
export function isMeant(
  { project, source }: Filter,
  session: { readonly projectID: string; readonly source: string },
): boolean {
  return (
    (source === undefined || session.source === source) &&
    (!project || project.ids.includes(session.projectID))
  )
}

/** A text by which filters can be told apart. */
export function filterKey(filter: Filter): string {
  return JSON.stringify(filterParameters(filter))
}
