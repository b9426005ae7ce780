import { useEffect, useMemo, useState } from "preact/hooks"
import { type Api, objects } from "./api.ts"
import { type ProjectGroup, projectGroups } from "./projects.ts"

/** The groups of projects; `undefined` until they are known. */
export function useProjects(api: Api): {
  groups: readonly ProjectGroup[] | undefined
  loadProjects: () => Promise<void>
} {
  const [groups, setGroups] = useState<readonly ProjectGroup[]>()
  const loadProjects = useMemo(
    () => async () => {
      try {
        setGroups(projectGroups(objects(await api.json("project"))))
      } catch {
        // Sessions can be read without the names of their projects; the list tells of a server that is gone.
        setGroups((known) => known ?? [])
      }
    },
    [api],
  )
  useEffect(() => void loadProjects(), [loadProjects])
  return { groups, loadProjects }
}
