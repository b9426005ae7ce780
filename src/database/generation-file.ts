import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { createShared } from "../file/access.ts"
import { fileSystem } from "../file/system.ts"

const POINTER = "current"
const FIRST = "index.sqlite"
const FORM = /^index(?:-(\d+))?\.sqlite$/
/** How many damaged indexes are kept for inspection; older ones are removed. */
const KEPT = 2

function numberOf(name: string): number | undefined {
  const form = FORM.exec(name)
  return form ? Number(form[1] ?? 1) : undefined
}

/**
 * The generations of an index file. A damaged index is never renamed or removed while others may read it: the next generation is begun
 * beside it, and the pointer file that names the current generation is replaced atomically.
 */
export class GenerationFiles {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /**
   * The path of the current generation, which need not exist yet; `undefined` if the pointer is lost, since every generation that is
   * still there may have been found damaged.
   */
  current(): string | undefined {
    const name = this.#name()
    return name === undefined ? undefined : join(this.folder, name)
  }

  #name(): string | undefined {
    try {
      const name = readFileSync(join(this.folder, POINTER), "utf8").trim()
      return numberOf(name) === undefined ? undefined : name
    } catch {
      // There is no pointer until there is a second generation.
      return Math.max(1, ...this.#numbers()) === 1 ? FIRST : undefined
    }
  }

  /** Makes the generation after the damaged one current and returns its path. The caller holds the index's lock. */
  advance(damaged: string | undefined): string {
    const next = Math.max(1, numberOf(basename(damaged ?? "")) ?? 0, ...this.#numbers()) + 1
    const name = `index-${next}.sqlite`
    const temp = join(this.folder, `.${POINTER}-${process.pid}.tmp`)
    createShared(fileSystem, temp)
    writeFileSync(temp, name)
    renameSync(temp, join(this.folder, POINTER))
    this.#removeOld(next)
    return join(this.folder, name)
  }

  /** The paths of earlier generations that are still there, newest first. */
  old(): string[] {
    const current = this.#name()
    return this.#names()
      .filter((name) => name !== current)
      .sort((a, b) => (numberOf(b) ?? 0) - (numberOf(a) ?? 0))
      .map((name) => join(this.folder, name))
  }

  /** A value that changes when another generation is made current. */
  pointer(): bigint | undefined {
    return statSync(join(this.folder, POINTER), { bigint: true, throwIfNoEntry: false })?.ino
  }

  /** The size of everything in the folder, in bytes. */
  bytes(): number {
    try {
      return readdirSync(this.folder).reduce(
        (sum, name) => sum + (statSync(join(this.folder, name), { throwIfNoEntry: false })?.size ?? 0),
        0,
      )
    } catch {
      // No folder, no bytes.
      return 0
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.folder).filter((name) => FORM.test(name))
    } catch {
      // No folder, no generations.
      return []
    }
  }

  #numbers(): number[] {
    return this.#names().flatMap((name) => numberOf(name) ?? [])
  }

  #removeOld(current: number): void {
    for (const name of this.#names()) {
      const number = numberOf(name)
      if (number === undefined || number >= current - KEPT) continue
      for (const suffix of ["", "-wal", "-shm", "-journal"])
        rmSync(join(this.folder, name + suffix), { force: true })
    }
  }
}
