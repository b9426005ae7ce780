import { join } from "node:path"
import { INDEX_FOLDER } from "./file/layout.ts"
import type { FileSystem } from "./file/system.ts"
import type { ResolvedOptions } from "./options.ts"
import { jsonFolder } from "./root/json/json-folder.ts"
import { findOlder, mayBeOlder } from "./root/older/older-folder.ts"
import type { RootProvider } from "./root/root.ts"

/** Below the index's folder: the indexes of what is read beside the store. */
const OTHERS_FOLDER = "also-read"

/** Where the index of the store's own folder is kept; `undefined` for a private one that goes with the process. */
export function indexFolderOf({ directory, indexPath, readOnly }: ResolvedOptions): string | undefined {
  return indexPath ?? (readOnly ? undefined : join(directory, INDEX_FOLDER))
}

/** Where the index of another place is kept: in the store's own, so that nothing changes where that lies. */
export function otherIndexFolder(indexFolder: string | undefined, place: string): string | undefined {
  if (indexFolder === undefined) return undefined
  const name = new Bun.CryptoHasher("sha256").update(place).digest("hex").slice(0, 16)
  return join(indexFolder, OTHERS_FOLDER, name)
}

/**
 * What options name to be read beside the store's own folder, each place once: the folders of `alsoRead`, then the older layouts
 * that lie beside any of these, then `roots`.
 */
export function otherPlaces(options: ResolvedOptions, fs: FileSystem, filesOnly: boolean): RootProvider[] {
  const { directory, alsoRead, opencodeFolders } = options
  const older = options.older ? [directory, ...alsoRead].flatMap((folder) => findOlder(fs, folder) ?? []) : []
  const folder = (at: string, layout: "current" | "older"): RootProvider =>
    jsonFolder(at, {
      fs,
      filesOnly,
      layout,
      fields: options.fields,
      source: layout === "older" || opencodeFolders.includes(at) ? "opencode" : undefined,
    })
  const found = new Set(older.filter((at) => !alsoRead.includes(at)))
  return [
    ...alsoRead.map((at) => folder(at, mayBeOlder(fs, at, false) ? "older" : "current")),
    ...[...found].map((at) => folder(at, "older")),
    ...options.roots,
  ]
}
