import { dirname } from "node:path"
import { type FileStat, type FileSystem, fileSystem } from "../../src/file/system.ts"

/**
 * The real file system as if its device did not date folders in which something is renamed, and knew no hard links, as
 * exfat-fuse does: what is made or removed in a folder changes its times, what is moved out of it or into it does not.
 */
export class RenameBlindFileSystem {
  /** The times that a folder is to show as long as its real change time is the one that a rename left. */
  readonly #blind = new Map<string, { readonly left: bigint; readonly shown: FileStat }>()

  /** A rename, as any program on this device makes it. */
  rename(from: string, to: string): void {
    const folders = [...new Set([dirname(from), dirname(to)])]
    const before = folders.map((folder) => this.#lstat(folder))
    fileSystem.rename(from, to)
    for (const [i, folder] of folders.entries()) {
      const left = fileSystem.lstat(folder)
      const shown = before[i]
      if (left && shown) this.#blind.set(folder, { left: left.ctimeNs, shown })
    }
  }

  #lstat(path: string): FileStat | undefined {
    const stat = fileSystem.lstat(path)
    const blind = this.#blind.get(path)
    if (!stat || blind?.left !== stat.ctimeNs) return stat
    const { mtimeNs, ctimeNs, size } = blind.shown
    return { ...stat, mtimeNs, ctimeNs, size }
  }

  readonly fs: FileSystem = {
    ...fileSystem,
    lstat: (path) => this.#lstat(path),
    stat: (path) => (fileSystem.lstat(path)?.kind === "link" ? fileSystem.stat(path) : this.#lstat(path)),
    rename: (from, to) => this.rename(from, to),
    link(_from, to) {
      const code = fileSystem.lstat(dirname(to)) ? "EPERM" : "ENOENT"
      throw Object.assign(new Error("no hard links"), { code })
    },
  }
}
