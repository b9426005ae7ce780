import type { FileSystem } from "./file/system.ts"
import type { ResolvedOptions } from "./options.ts"
import { opencodeDatabase } from "./root/opencode/opencode-database.ts"
import { dataFolder } from "./sources/data-folder.ts"
import { transcripts } from "./sources/transcripts.ts"

/**
 * The options with each data folder, and each history of an agent, replaced by what lies in it: of a data folder that is named as the store's
 * own the store is its `storage/`, whether or not that is there yet, and its databases are read beside it.
 */
export function withDataFolders(
  options: ResolvedOptions,
  fs: FileSystem,
  filesOnly: boolean,
): ResolvedOptions {
  const own = dataFolder(fs, options.directory, options.database)
  const named = [
    ...options.alsoRead.map((folder) => ({ folder, database: undefined, isOpencode: false })),
    ...(options.sources ?? []).flatMap(({ name, place, database }) =>
      name === "opencode" ? [{ folder: place, database, isOpencode: true }] : [],
    ),
  ]
  const others = named.map((one) => ({ ...one, data: dataFolder(fs, one.folder, one.database) }))
  if (!own && !options.sources && others.every(({ data }) => !data)) return options
  const directory = own?.storage ?? options.directory
  // The older layout beside a store is found with it; without one it has to be named.
  const folders = others.flatMap(({ folder, isOpencode, data }) => {
    if (!data) return [{ at: folder, isOpencode }]
    if (data.hasStorage) return [{ at: data.storage, isOpencode: true }]
    return data.older !== undefined && options.older ? [{ at: data.older, isOpencode: true }] : []
  })
  const transcriptRoots = (options.sources ?? []).flatMap(({ name, place }) =>
    name === "opencode" ? [] : [transcripts(name, place, { fs, filesOnly })],
  )
  const rest = [...transcriptRoots, ...options.roots]
  const known = new Set(options.roots.map(({ place }) => place))
  const databases = [own, ...others.map(({ data }) => data)].flatMap((data) => data?.databases ?? [])
  const unnamed = [...new Set(databases)].filter((path) => !known.has(path))
  const alsoRead = [...new Set(folders.map(({ at }) => at))].filter((folder) => folder !== directory)
  return {
    ...options,
    directory,
    inDataFolder: own !== undefined,
    alsoRead,
    opencodeFolders: folders.flatMap(({ at, isOpencode }) => (isOpencode ? [at] : [])),
    roots: [...unnamed.map(opencodeDatabase), ...new Map(rest.map((root) => [root.place, root])).values()],
  }
}
