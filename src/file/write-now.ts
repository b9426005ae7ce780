import { dirname } from "node:path"
import type { Key } from "../record/key.ts"
import { createDraft, makeFolders, openUp } from "./access.ts"
import { flushFolderNow, notDurable } from "./folder-flush.ts"
import { checkFolders } from "./layout.ts"
import type { ProcessLock, Release } from "./lock.ts"
import { checkSpelling } from "./spelling.ts"
import type { FileSystem } from "./system.ts"
import { tempPath } from "./temp-file.ts"

/** How long an ending process waits for another one to release the write lock, in ms. */
const PATIENCE_MS = 1_000
const PAUSE_MS = 2

/** Takes the lock at the end of the process, where nothing can be awaited; `undefined` if it cannot be taken. */
export function acquireNow(lock: ProcessLock): Release | undefined {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; Bun.sleepSync(PAUSE_MS))
    try {
      const release = lock.tryAcquire()
      if (release) return release
    } catch {
      // Either a batch of this process holds it, which goes no further, or the lock cannot be used.
      return undefined
    }
  return undefined
}

/**
 * Replaces a record's file as the write queue does, synchronously, for the end of the process.
 * @throws what the system throws; StoreError, which is `NOT_DURABLE` if the file was replaced all the same
 */
export function replaceNow(
  fs: FileSystem,
  directory: string,
  {
    key,
    path,
    content,
  }: { readonly key: Key; readonly path: string; readonly content: { readonly text: string } },
): void {
  const folder = dirname(path)
  checkFolders(fs, directory, key)
  checkSpelling(fs, directory, key)
  makeFolders(fs, folder, directory)
  const temp = tempPath(folder)
  const draft = createDraft(fs, temp, path, content.text)
  try {
    openUp(fs, draft)
    fs.flushSync(draft.descriptor)
  } finally {
    fs.close(draft.descriptor)
  }
  fs.rename(temp, path)
  try {
    flushFolderNow(fs, folder)
  } catch (error) {
    throw notDurable(path, error)
  }
}
