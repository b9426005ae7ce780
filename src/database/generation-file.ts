import * as fs from "node:fs"
import { join } from "node:path"

const POINTER = "current"
const FIRST = "index.sqlite"
const FORM = /^index(?:-(\d+))?\.sqlite$/
/** Damaged indexes kept for inspection; older ones are removed. */
const KEPT = 2

function numberOf(name: string): number | undefined {
  const form = FORM.exec(name)
  return form ? Number(form[1] ?? 1) : undefined
}

/**
 * The files an index has had: a damaged one is never renamed or removed under its readers. The next generation is begun
 * beside it, and a pointer file that names the current one is replaced atomically.
 */
export class GenerationFiles {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** The path of the current generation, which need not exist yet. */
  current(): string {
    return join(this.folder, this.#name())
  }

  #name(): string {
    try {
      const name = fs.readFileSync(join(this.folder, POINTER), "utf8").trim()
      return numberOf(name) === undefined ? FIRST : name
    } catch {
      // No pointer, or none that can be read: the first generation stands.
      return FIRST
    }
  }

  /** Points at the next generation and gives its path. The caller holds the index's lock. */
  advance(): string {
    const next = Math.max(0, ...this.#numbers()) + 1
    const name = next === 1 ? FIRST : `index-${next}.sqlite`
    const temp = join(this.folder, `.${POINTER}-${process.pid}.tmp`)
    fs.writeFileSync(temp, name, { mode: 0o600 })
    fs.renameSync(temp, join(this.folder, POINTER))
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

  /** What changes when another generation is made current or the current one is replaced or removed. */
  identity(path: string): string {
    const index = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
    const pointer = fs.statSync(join(this.folder, POINTER), { bigint: true, throwIfNoEntry: false })
    return `${index?.dev}:${index?.ino}:${pointer?.ino}`
  }

  /** The size of everything in the folder. */
  bytes(): number {
    try {
      return fs
        .readdirSync(this.folder)
        .reduce(
          (sum, name) => sum + (fs.statSync(join(this.folder, name), { throwIfNoEntry: false })?.size ?? 0),
          0,
        )
    } catch {
      // No folder, no bytes.
      return 0
    }
  }

  #names(): string[] {
    try {
      return fs.readdirSync(this.folder).filter((name) => FORM.test(name))
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
        fs.rmSync(join(this.folder, name + suffix), { force: true })
    }
  }
}
