import type { FileStat } from "../../file/system.ts"
import type { FoundContainer } from "./container.ts"

/** Files that are remembered at most. */
const MAX_FILES = 20_000

/** What a folder held. */
export interface RememberedFolder {
  readonly path: string
  /** The folder's own look, before its names were read; no later change can leave it as it is. */
  readonly stat: FileStat
  /** The folders in it, by their paths below the place. */
  readonly folders: readonly string[]
  readonly containers: readonly FoundContainer[]
  /** The walk that last found it to look as it did; `undefined` where none has. */
  seen?: number
}

/**
 * What was found in folders, so that as long as a folder looks the same its names need not be read and looked through again, only
 * each file be looked at.
 */
export class WalkMemory {
  readonly #folders = new Map<string, RememberedFolder>()
  readonly #within = new WeakMap<FoundContainer, FileStat>()
  #files = 0
  #walks = 0
  #found: readonly FoundContainer[] = []

  folder(name: string): RememberedFolder | undefined {
    return this.#folders.get(name)
  }

  remember(name: string, folder: RememberedFolder): void {
    this.forget(name)
    const files = filesOf(folder)
    if (this.#files + files > MAX_FILES) return
    this.#files += files
    this.#folders.set(name, folder)
    for (const container of folder.containers) this.noteFolder(container, folder.stat)
  }

  forget(name: string): void {
    const before = this.#folders.get(name)
    if (!before) return
    this.#folders.delete(name)
    this.#files -= filesOf(before)
  }

  /** Begins a walk; gives its number. */
  begin(): number {
    return ++this.#walks
  }

  /** The look of a folder that was the same after a walk had begun; `undefined` for any other. */
  seenSince(name: string, walk: number): FileStat | undefined {
    const folder = this.#folders.get(name)
    return folder?.seen !== undefined && folder.seen >= walk ? folder.stat : undefined
  }

  /** What a walk found; the same list as the last one gave where that is the same. */
  settle(found: readonly FoundContainer[]): readonly FoundContainer[] {
    const before = this.#found
    if (found.length === before.length && found.every((one, at) => one === before[at])) return before
    this.#found = found
    return found
  }

  /** Under which look of its folder a container was found: as long as that is the same it has no other files. */
  folderOf(container: FoundContainer): FileStat | undefined {
    return this.#within.get(container)
  }

  noteFolder(container: FoundContainer, stat: FileStat): void {
    this.#within.set(container, stat)
  }
}

function filesOf({ containers }: RememberedFolder): number {
  return containers.reduce((sum, { files }) => sum + files.length, 1)
}
