import { join } from "node:path"
import { StoreError } from "../errors.ts"
import { type Key, RECORD_SUFFIX } from "../record/key.ts"
import type { FileStat, FileSystem } from "./system.ts"

/** Whether two stats are of the same file, under whatever names. */
export function isSameFile(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device
}

/**
 * Checks that no name in a key leads to an entry with another name. Many file systems (APFS, NTFS, exFAT) treat names that differ only
 * in case or Unicode form as one, and a write to one would overwrite the record of the other.
 * @param known paths of folders that were checked before; this adds to it
 * @throws StoreError `CONFLICT`; what the system throws
 */
export function checkSpelling(fs: FileSystem, directory: string, key: Key, known = new Set<string>()): void {
  const other = otherRecord(fs, directory, key, known)
  if (!other) return
  throw new StoreError(
    "CONFLICT",
    `On this file system ${JSON.stringify(other.name)} is another name of ${JSON.stringify(other.actual)}, which lies there already`,
    {
      path: join(other.folder, other.actual),
      hint: "Names that differ only in case or Unicode form are the same name there: choose another.",
    },
  )
}

/** As `otherSpelling`, for a record's key. */
export function otherRecord(
  fs: FileSystem,
  directory: string,
  key: Key,
  known?: Set<string>,
): Spelling | undefined {
  return otherSpelling(fs, directory, key.with(-1, `${key.at(-1)}${RECORD_SUFFIX}`), known)
}

/** An entry of a folder that is found under `name`, though its own name is `actual`. */
interface Spelling {
  readonly folder: string
  readonly name: string
  readonly actual: string
}

/**
 * Goes down a path, name by name, to the first name that leads to an entry with another name; `undefined` if there is none.
 * @throws what the system throws
 */
export function otherSpelling(
  fs: FileSystem,
  directory: string,
  names: readonly string[],
  known = new Set<string>(),
): Spelling | undefined {
  let folder = directory
  for (const [depth, name] of names.entries()) {
    const path = `${folder}/${name}`
    if (!known.has(path)) {
      const actual = actualName(fs, folder, name)
      if (actual !== name) return { folder, name, actual }
      if (depth < names.length - 1) known.add(path)
    }
    folder = path
  }
  return undefined
}

/** Whether what lies under this name, if anything, has exactly this name. `true` if it cannot be looked at. */
export function isSpelled(fs: FileSystem, folder: string, name: string): boolean {
  try {
    return actualName(fs, folder, name) === name
  } catch {
    // Reading or writing it will report why it cannot be looked at.
    return true
  }
}

/** The name under which a folder lists what is found under `name`; `name` itself if nothing is found. */
function actualName(fs: FileSystem, folder: string, name: string): string {
  // The folder's names are read only if another spelling finds something. Inode numbers prove nothing here: FUSE may give each
  // spelling its own.
  if (!spellings(name).some((other) => fs.lstat(`${folder}/${other}`))) return name
  const stat = fs.lstat(join(folder, name))
  if (!stat) return name
  const names = fs.readNames(folder) ?? []
  if (names.includes(name)) return name
  const folded = fold(name)
  return (
    names.find((other) => fold(other) === folded) ??
    names.find((other) => isSameFile(stat, fs.lstat(join(folder, other)))) ??
    name
  )
}

function fold(name: string): string {
  return name.normalize("NFC").toLowerCase()
}

/** Spellings that a file system may treat as this name: one in another case, and some in another Unicode form. */
function spellings(name: string): string[] {
  const isAscii = !/[^\0-\x7f]/.test(name)
  const upper = isAscii ? name.toUpperCase() : name.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
  const others = [upper === name ? name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : upper]
  if (!isAscii)
    others.push(name.normalize("NFC"), name.normalize("NFD"), name.toLowerCase(), name.toUpperCase())
  return others.filter((other) => other !== name)
}
