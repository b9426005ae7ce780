import { randomBytes } from "node:crypto"
import { hostname } from "node:os"
import { join } from "node:path"
import { StoreError, systemCode } from "../errors.ts"
import { createDraft, makeFolders, openUp } from "../file/access.ts"
import { flushFolders } from "../file/folder-flush.ts"
import { type FileSystem, withOpenFile } from "../file/system.ts"
import { tempPath } from "../file/temp-file.ts"
import { fieldsOf } from "../record/extract.ts"

/** What marks of a push a machine remembers of each database. */
const TOKENS_KEPT = 32
/** Of so many databases. */
const FLEETS_KEPT = 32
/** A file that is longer is none of ours. */
const MOST_BYTES = 1024 * 1024
const FILE = ".sessiondex-machine.json"
/** Held by one push at a time of this machine. */
const LOCK = ".sessiondex-machine.lock"

/** Who publishes: a random id, since host names are not unique, and change. */
export interface Machine {
  readonly id: string
  /** What people call it. */
  readonly name: string
  /**
   * The marks that this machine's pushes left, or meant to leave, in each database, the newest last. A database whose mark is none of them was
   * pushed to by another disk with this id.
   */
  readonly tokens: Readonly<Record<string, readonly string[]>>
}

/** A new random mark of a push. */
export function newToken(): string {
  return randomBytes(12).toString("base64url")
}

/**
 * The machine's identity, in a file in the store's folder, or in `folder` where another is named: not in the index's, which may be deleted at
 * any moment.
 */
export class MachineFile {
  readonly path: string
  readonly lockPath: string
  readonly folder: string
  readonly #fs: FileSystem

  constructor(fs: FileSystem, folder: string) {
    this.#fs = fs
    this.folder = folder
    this.path = join(folder, FILE)
    this.lockPath = join(folder, LOCK)
  }

  /** The machine that it names; `undefined` before the first push. @throws StoreError `CORRUPT`, `UNREADABLE` */
  read(): Machine | undefined {
    let text: string | undefined
    try {
      text = withOpenFile(this.#fs, this.path, (descriptor) =>
        this.#fs.readOpen(descriptor, MOST_BYTES)?.toString("utf8"),
      )
      if (text === undefined && !this.#fs.lstat(this.path)) return undefined
    } catch (cause) {
      if (systemCode(cause) === undefined) throw cause
      throw new StoreError("UNREADABLE", `The machine's identity cannot be read (${systemCode(cause)})`, {
        path: this.path,
        cause,
      })
    }
    const machine = text === undefined ? undefined : parse(text)
    if (machine) return machine
    throw new StoreError("CORRUPT", "The file with the machine's identity is damaged", {
      path: this.path,
      hint: "Bring it back from a backup, or begin as a new machine: `push --new-machine`.",
    })
  }

  /** Who pushes: as the file says, under another name where one is given; or someone new. @throws as `read` */
  machine(name: string | undefined, isNew: boolean): Machine {
    const known = isNew ? undefined : this.read()
    return {
      id: known?.id ?? `mch_${randomBytes(15).toString("base64url")}`,
      name: name ?? known?.name ?? hostname(),
      tokens: known?.tokens ?? {},
    }
  }

  /** Puts the machine's identity into the file, safely, with a mark that a push to `fleet` is about to leave. @throws StoreError `WRITE_FAILED` */
  async write(machine: Machine, fleet: string, token: string): Promise<void> {
    const of = [...(machine.tokens[fleet] ?? []), token].slice(-TOKENS_KEPT)
    const others = Object.entries(machine.tokens).filter(([place]) => place !== fleet)
    const tokens = Object.fromEntries([...others, [fleet, of] as const].slice(-FLEETS_KEPT))
    try {
      makeFolders(this.#fs, this.folder, this.folder)
      const temp = tempPath(this.folder)
      const draft = createDraft(
        this.#fs,
        temp,
        this.path,
        `${JSON.stringify({ ...machine, tokens }, null, 2)}\n`,
      )
      try {
        openUp(this.#fs, draft)
        await this.#fs.flush(draft.descriptor)
      } finally {
        this.#fs.close(draft.descriptor)
      }
      this.#fs.rename(temp, this.path)
      await flushFolders(this.#fs, new Set([this.folder]))
    } catch (cause) {
      const code = systemCode(cause)
      if (code === undefined) throw cause
      throw new StoreError("WRITE_FAILED", `The machine's identity cannot be written (${code})`, {
        path: this.path,
        cause,
        hint: "A push needs a place for it: the store's folder, or `machineFolder`.",
      })
    }
  }
}

/** Whether a database's mark is one that this machine left, or meant to leave, there or under another name of the same database. */
export function isOurs({ tokens }: Machine, token: string | null): boolean {
  return token === null || Object.values(tokens).some((all) => all.includes(token))
}

function parse(text: string): Machine | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // What is no JSON is no identity; the caller tells of it.
    return undefined
  }
  const { id, name, tokens } = fieldsOf(value)
  if (typeof id !== "string" || id === "" || typeof name !== "string") return undefined
  const all = Object.entries(fieldsOf(tokens)).map(([place, of]) => [
    place,
    Array.isArray(of) ? of.filter((token) => typeof token === "string") : [],
  ])
  return { id, name, tokens: Object.fromEntries(all) }
}
