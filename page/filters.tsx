import { plain } from "./format.ts"
import type { ProjectGroup } from "./projects.ts"
import { SourceMark, shortSourceName, sourceName } from "./source-mark.tsx"

/** Whose sessions, and of which project: for the list, the search and the overview alike. */
export function Filters({
  sources,
  source,
  onSource,
  groups,
  project,
  onProject,
}: {
  sources: readonly string[]
  source: string | undefined
  onSource: (source: string | undefined) => void
  groups: readonly ProjectGroup[]
  /** The id of one of a group's projects. */
  project: string | undefined
  onProject: (project: string | undefined) => void
}) {
  const shown = groups.filter(({ sources }) => source === undefined || sources.includes(source))
  const chosen = shown.find(({ ids }) => project !== undefined && ids.includes(project))
  return (
    <div class="filters">
      <select
        class="projects"
        aria-label="Project"
        value={chosen?.ids[0] ?? project ?? ""}
        onChange={({ currentTarget: { value } }) => onProject(value || undefined)}
      >
        <option value="">All projects</option>
        {project !== undefined && !chosen && <option value={project}>{plain(project)}</option>}
        {shown.map(({ ids, name, path }) => (
          <option value={ids[0]} key={ids[0]}>
            {plain(name)}
            {path !== "" && path !== name ? ` — ${plain(path)}` : ""}
          </option>
        ))}
      </select>
      {(sources.length > 1 || source !== undefined) && (
        <div class="chips" role="group" aria-label="Source">
          <button type="button" aria-pressed={source === undefined} onClick={() => onSource(undefined)}>
            All
          </button>
          {sources.map((name) => (
            <button
              type="button"
              key={name}
              title={sourceName(name)}
              aria-pressed={source === name}
              onClick={() => onSource(source === name ? undefined : name)}
            >
              <SourceMark source={name} />
              {shortSourceName(name)}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
