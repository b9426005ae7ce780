import * as fs from "node:fs"
import { join } from "node:path"
import { tempFolder, treePath } from "./temp.ts"

/** A data folder with the older history of release 0.5.29, and an empty `storage` beside it. */
export function olderData(): { data: string; directory: string; older: string } {
  const data = tempFolder()
  const older = join(data, "project")
  fs.cpSync(treePath("opencode-0.5.29/project"), older, { recursive: true })
  fs.mkdirSync(join(data, "storage"))
  return { data, directory: join(data, "storage"), older }
}

/** What release 1.1.65 made of that history. */
export function migratedTree(): string {
  return treePath("opencode-0.5.29/storage-after-opencode-migration")
}

/** The records of an older history by their keys in the current layout, as the plainest code finds them. */
export function olderRecords(older: string): Map<string, string> {
  const records = new Map<string, string>()
  for (const path of fs.readdirSync(older, { recursive: true, encoding: "utf8" }).sort()) {
    const [project, , , kind, ...rest] = path.split("/")
    if (!path.endsWith(".json") || kind === undefined) continue
    const key =
      kind === "info"
        ? ["session", project, ...rest]
        : kind === "part"
          ? [kind, ...rest.slice(1)]
          : [kind, ...rest]
    records.set(key.join("/"), fs.readFileSync(join(older, path), "utf8"))
  }
  return records
}

/** The records of a store's folder by their keys. */
export function storedRecords(directory: string): Map<string, string> {
  const records = new Map<string, string>()
  for (const path of fs.readdirSync(directory, { recursive: true, encoding: "utf8" }).sort())
    if (path.endsWith(".json") && !path.startsWith("."))
      records.set(path, fs.readFileSync(join(directory, path), "utf8"))
  return records
}
