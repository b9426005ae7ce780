import { dirname } from "node:path"
import { sameStat } from "../file/stamp.ts"
import type { FileStat, FileSystem } from "../file/system.ts"
import type { Change, WriteJob } from "../file/write-queue.ts"
import { type Key, keyPath } from "../record/key.ts"

/** How long after a write of ours the watch may still tell of it, in ms. */
const REMEMBERED_MS = 5_000
const MAX_REMEMBERED = 10_000

/** What this store wrote, so that the watch does not take it for someone else's. */
export class OwnWrites {
  readonly #fs: FileSystem
  readonly #running = new Map<string, number>()
  /** What each path held after our write, `undefined` for nothing; for a folder that we took something from, when. */
  readonly #left = new Map<string, { readonly stat: FileStat | undefined; readonly at: number }>()

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  /** Does a write below the store's folder; until it is over, what happens at its path is not judged. */
  async during<T>(directory: string, job: WriteJob, write: (job: WriteJob) => Promise<T>): Promise<T> {
    let path: string | undefined
    const begin = (running: string): void => {
      path = running
      this.#running.set(path, (this.#running.get(path) ?? 0) + 1)
    }
    if ("path" in job) begin(job.path)
    const find = async (seek: () => Promise<Key>): Promise<Key> => {
      const key = await seek()
      // Where the queue could not take it up at once it is looked for again.
      if (path !== undefined) this.#end(path)
      begin(keyPath(directory, key))
      return key
    }
    try {
      return await write("find" in job ? { ...job, find: () => find(() => job.find()) } : job)
    } finally {
      if (path !== undefined) this.#end(path)
    }
  }

  /** Remembers changes that have just reached the disk. */
  note(changes: readonly Change[]): void {
    const at = performance.now()
    for (const { path, content } of changes) {
      const stat = content === null ? undefined : this.#fs.lstat(path)
      // Of another size it is no longer what we wrote.
      if (content && "text" in content && stat?.size !== Buffer.byteLength(content.text)) continue
      this.#remember(path, { stat, at })
      if (content === null) this.#remember(dirname(path), { stat: undefined, at })
    }
    for (const [path, left] of this.#left) {
      if (this.#left.size <= MAX_REMEMBERED && at - left.at <= REMEMBERED_MS) return
      this.#left.delete(path)
    }
  }

  /** Whether a write of ours to this path is under way. */
  isRunning(path: string): boolean {
    return this.#running.has(path)
  }

  /** Whether what lies there now, or that nothing does, is our doing. */
  isOwn(path: string, stat: FileStat | undefined): boolean {
    const left = this.#left.get(path)
    return left !== undefined && sameStat(left.stat, stat)
  }

  #end(path: string): void {
    const left = (this.#running.get(path) ?? 1) - 1
    if (left > 0) this.#running.set(path, left)
    else this.#running.delete(path)
  }

  #remember(path: string, left: { stat: FileStat | undefined; at: number }): void {
    this.#left.delete(path)
    this.#left.set(path, left)
  }
}
