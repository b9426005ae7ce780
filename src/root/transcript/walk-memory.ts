import type { FileStat } from "../../file/system.ts"
import type { FoundContainer } from "./container.ts"

/** Files that are remembered at most. */
const MAX_FILES = 20_000

/** What a folder held. */
export interface RememberedFolder {
  /** The folder's own look, before its names were read; no later change can leave it as it is. */
  readonly stat: FileStat
  /** The names of folders in it. */
  readonly folders: readonly string[]
  readonly containers: readonly FoundContainer[]
}

/**
 * What was found in folders, so that as long as a folder looks the same its names need not be read and looked through again, only
 * each file be looked at.
 */
export class WalkMemory {
  readonly #folders = new Map<string, RememberedFolder>()
  readonly #proven = new WeakSet<FileStat>()
  readonly #within = new WeakMap<FoundContainer, FileStat>()
  #files = 0

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

  /** Under which look of its folder a container was found: as long as that is the same it has no other files. */
  folderOf(container: FoundContainer): FileStat | undefined {
    return this.#within.get(container)
  }

  noteFolder(container: FoundContainer, stat: FileStat): void {
    this.#within.set(container, stat)
  }

  /** Whether no later change can leave what has this look as it is. */
  isProven(stat: FileStat): boolean {
    return this.#proven.has(stat)
  }

  prove(stat: FileStat): void {
    this.#proven.add(stat)
  }
}

function filesOf({ containers }: RememberedFolder): number {
  return containers.reduce((sum, { files }) => sum + files.length, 1)
}
