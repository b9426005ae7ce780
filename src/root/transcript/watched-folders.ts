import { join } from "node:path"
import { allowed, FolderWatches, refusalOf, type WatchFolder } from "../../file/folder-watches.ts"
import type { FileSystem } from "../../file/system.ts"
import { rest, TimeSlice } from "../../time-slice.ts"
import type { TranscriptAgent } from "./agent.ts"
import { MAX_DEPTH } from "./walk.ts"

/** Where the watched folders are. */
export interface WatchedPlace {
  readonly fs: FileSystem
  readonly place: string
  readonly agent: TranscriptAgent
}

/** What a path below the place is now. */
export interface SeenPath {
  /** Whether what was known to be in it may have changed: a watched folder is gone, or a folder is watched only from now on. */
  readonly isDoubted: boolean
  readonly isFolder: boolean
}

/** The watches on a place and on every folder that may hold transcripts, by paths below the place. */
export class WatchedFolders {
  readonly #in: WatchedPlace
  readonly #watches: FolderWatches
  readonly #onName: (folder: string, name: string | undefined) => void

  constructor(
    within: WatchedPlace,
    watch: WatchFolder,
    onName: (folder: string, name: string | undefined) => void,
  ) {
    this.#in = within
    this.#watches = new FolderWatches(watch)
    this.#onName = onName
  }

  get size(): number {
    return this.#watches.size
  }

  close(): void {
    this.#watches.close()
  }

  /** Watches every folder that is not watched yet; returns why not all can be, if so. @throws the signal's reason */
  async watchAll(signal: AbortSignal): Promise<string | undefined> {
    const seen = new Set<string>()
    const slice = new TimeSlice(signal, rest)
    const tops = this.#tops()
    if (tops.length === 0) return "there is no such folder"
    try {
      for (const { folder, path, inode } of tops) {
        seen.add(path)
        this.#add(folder, path, inode)
      }
      for (const { folder } of tops)
        if (this.#holds(folder)) await this.#watchBelow(folder, slice, (_, path) => seen.add(path))
    } catch (error) {
      signal.throwIfAborted()
      return refusalOf(error)
    }
    this.#watches.keep(seen)
    return undefined
  }

  /** Why the watched place or the agent's folders, which can be links, are not the present ones; `undefined` if they are. */
  doubt(): string | undefined {
    const tops = this.#tops()
    if (tops.length === 0) return "it is gone"
    const isWatched = tops.every(({ path, inode }) => this.#watches.has(path, inode))
    return isWatched ? undefined : "its folders are no longer those that were watched"
  }

  /**
   * Looks at what is at a path now. A new folder is first watched, with all below it; then every name in it is told.
   * @throws what the system throws when it refuses any more watches; the slice's signal's reason
   */
  async see(folder: string, slice: TimeSlice): Promise<SeenPath> {
    const { fs, place, agent } = this.#in
    const path = join(place, folder)
    const isTop = agent.folders.includes(folder)
    const stat = allowed(() => (isTop ? fs.stat(path) : fs.lstat(path)))
    if (stat?.kind !== "directory") return { isDoubted: this.#watches.removeTree(path), isFolder: false }
    if (!this.#holds(folder) || this.#watches.has(path, stat.inode))
      return { isDoubted: false, isFolder: true }
    // The watches below an earlier folder of that name are dead.
    this.#watches.removeTree(path)
    this.#add(folder, path, stat.inode)
    await this.#watchBelow(folder, slice, (at, _, names) => {
      for (const name of names) this.#onName(at, name)
    })
    return { isDoubted: true, isFolder: true }
  }

  #add(folder: string, path: string, inode: bigint): void {
    this.#watches.add(path, inode, (name) => this.#onName(folder, name))
  }

  /** The place, and the agent's folders that exist. */
  #tops(): { readonly folder: string; readonly path: string; readonly inode: bigint }[] {
    const { fs, place, agent } = this.#in
    return [...new Set(["", ...agent.folders])].flatMap((folder) => {
      const path = join(place, folder)
      const stat = allowed(() => fs.stat(path))
      return stat?.kind === "directory" ? [{ folder, path, inode: stat.inode }] : []
    })
  }

  /** Whether a walk finds transcripts in this folder or below it. */
  #holds(folder: string): boolean {
    return this.#in.agent.folders.some((top) => {
      if (folder === top) return true
      const below = top === "" ? folder : folder.startsWith(`${top}/`) ? folder.slice(top.length + 1) : ""
      return below !== "" && below.split("/").length <= MAX_DEPTH
    })
  }

  async #watchBelow(
    folder: string,
    slice: TimeSlice,
    onFolder: (folder: string, path: string, names: readonly string[]) => void,
  ): Promise<void> {
    const { fs, place } = this.#in
    const waiting = [folder]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const turn = slice.pass()
      if (turn) await turn
      const path = join(place, next)
      const names: string[] = []
      for (const { name, kind } of allowed(() => fs.readDirectory(path)) ?? []) {
        const below = next === "" ? name : `${next}/${name}`
        const at = join(place, below)
        const stat = kind === "directory" && this.#holds(below) ? allowed(() => fs.lstat(at)) : undefined
        if (stat?.kind === "directory") {
          this.#add(below, at, stat.inode)
          waiting.push(below)
        } else if (kind !== "directory") names.push(name)
      }
      onFolder(next, path, names)
    }
  }
}
