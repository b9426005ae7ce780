import { createStorage } from "unstorage"
import fsDriver from "unstorage/drivers/fs"

/** The newest sessions with unstorage's file system driver: all keys, all items, sorted. */
export async function unstorageSessions(directory: string, limit: number): Promise<unknown[]> {
  const storage = createStorage({ driver: fsDriver({ base: directory }) })
  const keys = await storage.getKeys("session")
  const items = await storage.getItems<{ time: { updated: number } }>(keys)
  return items
    .map(({ value }) => value)
    .sort((a, b) => b.time.updated - a.time.updated)
    .slice(0, limit)
}

/** Searches with ripgrep, which prints the names of the files that match; -F for text as it is, -i for any case. */
export async function ripgrep(pattern: string, folders: readonly string[]): Promise<void> {
  await Bun.spawn(["rg", "-l", "-i", "-F", pattern, ...folders], { stdout: "ignore" }).exited
}
