import { realpathSync } from "node:fs"
import { basename, dirname, join, relative, resolve, sep } from "node:path"
import { StoreError, systemCode } from "../errors.ts"
import { isForTheMoment } from "../exhaustion.ts"
import { createDraft, openUp } from "../file/access.ts"
import { eachAtOnce } from "../file/at-once.ts"
import { flushFolders } from "../file/folder-flush.ts"
import { isNamed } from "../file/layout.ts"
import { type Moved, makeFolder, moveTree } from "../file/move.ts"
import { folderRefusal } from "../file/refusal.ts"
import { sameStat } from "../file/stamp.ts"
import type { FileSystem } from "../file/system.ts"
import { tempPath } from "../file/temp-file.ts"
import { TimeSlice } from "../time-slice.ts"

/** How to copy a store. */
export interface CopyOptions {
  signal?: AbortSignal | undefined
  /** Told of the files looked at so far, and their bytes. */
  onProgress?: ((progress: { readonly files: number; readonly bytes: number }) => void) | undefined
}

/** A file that was not copied: another content lies in its place, it is a link, or it cannot be read. */
export interface NotCopied {
  /** In the store. */
  readonly path: string
  readonly reason: "differs" | "link" | "unreadable"
}

/** What a copy came to. */
export interface CopyResult {
  readonly copied: number
  readonly bytes: number
  /** Files that were there already, with the same bytes. */
  readonly unchanged: number
  readonly notCopied: number
  /** Files of `session_share`, which hold secrets and are never copied. */
  readonly secrets: number
}

const SECRET_KIND = "session_share"
const AT_ONCE = 32
const MAX_TRIES = 3

/**
 * Copies a store's files to another folder as they lie there, byte for byte, with their modification times, those that cannot be
 * parsed included; yields what was not copied. What starts with a dot (the index, the trash, temp files) is left out, and so are
 * the secrets in `session_share`. Never overwrites anything; each file is whole or not there, so a copy cut short is gone on with.
 * @param flushed whether to wait until the copies are on the disk
 * @throws TypeError where one folder lies in the other; StoreError `WRITE_FAILED`, `NOT_DURABLE`; the signal's reason
 */
export async function* copyStore(
  fs: FileSystem,
  directory: string,
  target: string,
  flushed: boolean,
  options: CopyOptions = {},
): AsyncGenerator<NotCopied, CopyResult> {
  const to = resolve(target)
  const [inner, outer] = [realFolder(to), realFolder(directory)]
  if (isWithin(inner, outer) || isWithin(outer, inner))
    throw new TypeError(`${target} lies in the store, or the store in it: copy it to a folder of its own`)
  const result = { copied: 0, bytes: 0, unchanged: 0, notCopied: 0, secrets: 0 }
  const slice = new TimeSlice(options.signal)
  let group: string[] = []
  let seen = { files: 0, bytes: 0 }
  const copyGroup = async (): Promise<NotCopied[]> => {
    const paths = group
    group = []
    const folders = new Set<string>()
    const copies: Copy[] = []
    await eachAtOnce(paths.entries(), async ([at, path]) => {
      copies[at] = await copyFile(fs, join(directory, path), join(to, path), { flushed, folders, root: to })
    })
    if (flushed) await flushFolders(fs, folders)
    const missed: NotCopied[] = []
    for (const [at, copy] of copies.entries()) {
      seen = { files: seen.files + 1, bytes: seen.bytes + copy.bytes }
      if (copy.outcome === "copied") {
        result.copied++
        result.bytes += copy.bytes
      } else if (copy.outcome === "unchanged") result.unchanged++
      else if (copy.outcome !== "gone")
        missed.push({ path: join(directory, paths[at] ?? ""), reason: copy.outcome })
    }
    result.notCopied += missed.length
    options.onProgress?.(seen)
    return missed
  }
  for await (const { path, kind } of filesBelow(fs, directory, "", slice)) {
    if (path.startsWith(SECRET_KIND + sep)) result.secrets++
    else if (kind !== "file") {
      result.notCopied++
      yield { path: join(directory, path), reason: kind }
    } else if (group.push(path) === AT_ONCE) yield* await copyGroup()
  }
  yield* await copyGroup()
  return result
}

/** Where a folder, which need not exist yet, really lies: links lead into the store as well. */
function realFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    const above = dirname(path)
    // Where it cannot be looked at, writing to it tells why.
    return code === "ENOENT" && above !== path ? join(realFolder(above), basename(path)) : path
  }
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner)
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`) || resolve(way) === way)
}

/** Files, links and unreadable folders below a folder of the store; first-level links to folders are followed. */
async function* filesBelow(
  fs: FileSystem,
  directory: string,
  below: string,
  slice: TimeSlice,
): AsyncGenerator<{ path: string; kind: "file" | "link" | "unreadable" }> {
  let entries: ReturnType<FileSystem["readDirectory"]>
  try {
    entries = fs.readDirectory(join(directory, below))
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    if (isForTheMoment(error)) throw folderRefusal(join(directory, below), error)
    yield { path: below, kind: "unreadable" }
    return
  }
  for (const { name, kind } of entries ?? []) {
    await slice.pass()
    const path = join(below, name)
    if (name.startsWith(".")) continue
    if (kind === "file") yield { path, kind }
    else if (
      kind === "directory" ||
      (kind === "link" && below === "" && fs.stat(join(directory, path))?.kind === "directory")
    )
      yield* filesBelow(fs, directory, path, slice)
    else if (kind === "link") yield { path, kind }
  }
}

interface Copy {
  readonly outcome: "copied" | "unchanged" | "differs" | "unreadable" | "gone"
  readonly bytes: number
}

async function copyFile(
  fs: FileSystem,
  from: string,
  to: string,
  { flushed, ...place }: { readonly flushed: boolean } & Pick<Moved, "folders" | "root">,
): Promise<Copy> {
  for (let tries = 1; ; tries++) {
    const stat = fs.lstat(from)
    if (!stat)
      return { outcome: isNamed(fs, dirname(from), basename(from)) ? "gone" : "unreadable", bytes: 0 }
    const bytes = stat.size
    if (fs.lstat(to)) return { outcome: (await isSame(fs, from, to)) ? "unchanged" : "differs", bytes }
    const temp = tempPath(dirname(to))
    try {
      makeFolder(fs, dirname(to), place)
      const draft = createDraft(fs, temp, to, "")
      const { descriptor } = draft
      const slice = new TimeSlice()
      try {
        for (const piece of fs.readPieces(from)) {
          fs.append(descriptor, piece)
          await slice.pass()
        }
        openUp(fs, draft)
        fs.setModified(temp, Number(stat.mtimeNs / 1000n) / 1000)
        if (flushed) await fs.flush(descriptor)
      } finally {
        fs.close(descriptor)
      }
      // Another program wrote to it meanwhile: a torn copy is no copy, unless it never holds still.
      if (!sameStat(stat, fs.lstat(from)) && tries < MAX_TRIES) continue
      const moved: Moved = { ...place, left: [] }
      await moveTree(fs, temp, to, moved, new TimeSlice())
      return { outcome: moved.left.length > 0 ? "differs" : "copied", bytes }
    } catch (cause) {
      if (systemCode(cause) === undefined) throw cause
      if (isForTheMoment(cause)) throw folderRefusal(from, cause)
      if (!canRead(fs, from)) return { outcome: "unreadable", bytes: 0 }
      throw new StoreError("WRITE_FAILED", `The file cannot be copied (${systemCode(cause)}): ${to}`, {
        path: to,
        cause,
      })
    } finally {
      fs.removeFile(temp)
    }
  }
}

function canRead(fs: FileSystem, path: string): boolean {
  try {
    for (const _ of fs.readPieces(path)) return true
    return true
  } catch {
    // That is the answer; the caller tells of it.
    return false
  }
}

/** Compares two files piece by piece. */
async function isSame(fs: FileSystem, a: string, b: string): Promise<boolean> {
  if (fs.lstat(a)?.size !== fs.lstat(b)?.size) return false
  const slice = new TimeSlice()
  const others = fs.readPieces(b)
  try {
    for (const piece of fs.readPieces(a)) {
      await slice.pass()
      const other = others.next()
      if (other.done || Buffer.compare(piece, other.value) !== 0) return false
    }
    return others.next().done === true
  } finally {
    others.return(undefined)
  }
}
