import { resolve } from "node:path"
import { Option } from "commander"
import { type Store, StoreError } from "../index.ts"

/** `--project`: of which projects; repeatable. */
export function projectOption(description: string): Option {
  return new Option(
    "--project <id|folder>",
    `${description}: an id, or its work tree, as .; repeatable`,
  ).argParser((name: string, names: readonly string[] = []) => [...names, name])
}

/** The ids of the projects that `--project` names: ids as they are, of a work tree those of all histories. @throws StoreError `NOT_FOUND` */
export async function projectsNamed(
  store: Store,
  named: readonly string[] | undefined,
): Promise<string | readonly string[] | undefined> {
  if (named === undefined) return undefined
  const ids: string[] = []
  // No id is a path, nor a dot alone.
  for (const name of named)
    if (!/^\.{1,2}$|[/\\]/.test(name)) ids.push(name)
    else ids.push(...(await projectsAt(store, name)))
  return ids.length === 1 ? ids[0] : ids
}

async function projectsAt(store: Store, folder: string): Promise<readonly string[]> {
  const worktrees = [folder, resolve(folder)]
  for await (const { worktree, ids } of store.projects.groups())
    if (worktree !== null && worktrees.includes(worktree)) return ids
  throw new StoreError("NOT_FOUND", `No project has the work tree ${resolve(folder)}`, {
    path: resolve(folder),
    hint: "`sessiondex projects` lists them.",
  })
}
