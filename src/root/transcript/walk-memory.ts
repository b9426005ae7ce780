import type { FileStat } from "../../file/system.ts"
import type { FoundContainer } from "./container.ts"

/** The most files that are remembered. */
const MAX_FILES = 20_000

/** What a folder held. */
export interface RememberedFolder {
  readonly path: string
  /** The folder's stat from before its names were read. Every later change would change it. */
  readonly stat: FileStat
  /** Its folders, by their paths below the place. */
  readonly folders: readonly string[]
  readonly containers: readonly FoundContainer[]
  /** The last walk that found it unchanged; `undefined` if none has. */
  seen?: number
}

/**
 * Remembers what was found in folders. As long as a folder's stat is unchanged, its names need not be read again; only each file is
 * looked at.
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

  /** Begins a walk and returns its number. */
  begin(): number {
    return ++this.#walks
  }

  /** The stat of a folder that was found unchanged since a walk began; `undefined` for any other. */
  seenSince(name: string, walk: number): FileStat | undefined {
    const folder = this.#folders.get(name)
    return folder?.seen !== undefined && folder.seen >= walk ? folder.stat : undefined
  }

  /** Returns what a walk found: the last walk's own list if it is equal. */
  settle(found: readonly FoundContainer[]): readonly FoundContainer[] {
    const before = this.#found
    if (found.length === before.length && found.every((one, at) => one === before[at])) return before
    this.#found = found
    return found
  }

  /** The stat of the folder under which a container was found. While that is unchanged, the container has no other files. */
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
