import { join } from "node:path"
import { sameStat } from "../../src/file/stamp.ts"
import { type FileStat, type FileSystem, fileSystem } from "../../src/file/system.ts"

export interface ClockOptions {
  /** The device's clock ticks in steps of so many ns. */
  readonly granularityNs: bigint
  /** How far the device's clock is from ours, in ns. */
  readonly offsetNs: bigint
}

/**
 * The real file system as if its device had another clock: real changes keep their order, but their times are shifted and
 * fall into coarse ticks, and time can be let pass without waiting for it. Recent kernels give every observed change a
 * time of its own, so the race that stamps must survive never shows on a real clock.
 */
export class ClockedFileSystem {
  readonly #options: ClockOptions
  readonly #probe: string
  readonly #jumps: { readonly from: bigint; readonly by: bigint }[] = []
  readonly #open = new Map<number, string>()
  /** Called before each system call of the store. */
  before: (call: string, path: string) => void = () => {}

  constructor(folder: string, options: ClockOptions) {
    this.#options = options
    this.#probe = join(folder, "probe")
  }

  /** Lets time pass on the device. */
  advance(ns: bigint): void {
    // A kernel gives a time finer than its tick only to a file whose last time was looked at: the second one is.
    fileSystem.touch(this.#probe)
    this.#jumps.push({ from: fileSystem.touch(this.#probe).ctimeNs, by: ns })
  }

  /** What the device's clock says of a real time. */
  #time(real: bigint): bigint {
    let time = real + this.#options.offsetNs
    for (const { from, by } of this.#jumps) if (real >= from) time += by
    return time - (time % this.#options.granularityNs)
  }

  #stat(stat: FileStat): FileStat
  #stat(stat: FileStat | undefined): FileStat | undefined
  #stat(stat: FileStat | undefined): FileStat | undefined {
    return stat && { ...stat, ctimeNs: this.#time(stat.ctimeNs), mtimeNs: this.#time(stat.mtimeNs) }
  }

  readonly fs: FileSystem = {
    ...fileSystem,
    stat: (path, like) => this.#call("stat", path, () => orLike(this.#stat(fileSystem.stat(path)), like)),
    lstat: (path, like) => this.#call("lstat", path, () => orLike(this.#stat(fileSystem.lstat(path)), like)),
    touch: (path) => this.#call("touch", path, () => this.#stat(fileSystem.touch(path))),
    readNames: (path) => this.#call("readdir", path, () => fileSystem.readNames(path)),
    readDirectory: (path) => this.#call("readdir", path, () => fileSystem.readDirectory(path)),
    openFile: (path) =>
      this.#call("open", path, () => {
        const descriptor = fileSystem.openFile(path)
        if (descriptor !== undefined) this.#open.set(descriptor, path)
        return descriptor
      }),
    fstat: (descriptor) =>
      this.#call("fstat", this.#open.get(descriptor) ?? "", () => this.#stat(fileSystem.fstat(descriptor))),
    readOpen: (descriptor, max) =>
      this.#call("read", this.#open.get(descriptor) ?? "", () => fileSystem.readOpen(descriptor, max)),
    createFile: (path, text) => this.#call("create", path, () => fileSystem.createFile(path, text)),
    rename: (from, to) => this.#call("rename", to, () => fileSystem.rename(from, to)),
    removeFile: (path) => this.#call("unlink", path, () => fileSystem.removeFile(path)),
    makeDirectory: (path) => this.#call("mkdir", path, () => fileSystem.makeDirectory(path)),
    removeEmptyDirectory: (path) => this.#call("rmdir", path, () => fileSystem.removeEmptyDirectory(path)),
  }

  #call<T>(call: string, path: string, run: () => T): T {
    this.before(call, path)
    return run()
  }
}

/** What is like another one, as `FileSystem` has it, is that one. */
function orLike(stat: FileStat | undefined, like: FileStat | undefined): FileStat | undefined {
  return like && sameStat(stat, like) ? like : stat
}
