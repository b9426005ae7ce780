import { join } from "node:path"
import { StoreError } from "../errors.ts"
import { type Key, RECORD_SUFFIX } from "../record/key.ts"
import type { FileStat, FileSystem } from "./system.ts"

/** Whether two looks were at one thing, by whatever names. */
export function isSameFile(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device
}

/**
 * Checks that no name of a key stands for an entry of another name: many file systems (APFS, NTFS, exFAT) take names that
 * differ by case or Unicode form for one, and a write to one would go over the record of the other.
 * @param known paths of folders that were checked, to which this adds
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

/** As `otherSpelling`, of a record's key. */
export function otherRecord(
  fs: FileSystem,
  directory: string,
  key: Key,
  known?: Set<string>,
): Spelling | undefined {
  return otherSpelling(fs, directory, key.with(-1, `${key.at(-1)}${RECORD_SUFFIX}`), known)
}

/** An entry of a folder that is found by another name than its own. */
interface Spelling {
  readonly folder: string
  readonly name: string
  readonly actual: string
}

/**
 * The first of these names, each in the folder of the one before, that stands for an entry of another name, and that name.
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

/** Whether what a folder has under this name, if anything, bears it. What cannot be looked at is taken to. */
export function isSpelled(fs: FileSystem, folder: string, name: string): boolean {
  try {
    return actualName(fs, folder, name) === name
  } catch {
    // Who reads or writes it is told why it cannot be.
    return true
  }
}

/** The name under which a folder lists what is found by `name`; where nothing is, `name`. */
function actualName(fs: FileSystem, folder: string, name: string): string {
  // Only where another spelling finds something are the folder's names worth reading. The numbers of files prove nothing here:
  // FUSE may give each spelling one of its own.
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

/** Other names that a file system which is not exact takes for this one: one of another case, one of another Unicode form. */
function spellings(name: string): string[] {
  const isAscii = !/[^\0-\x7f]/.test(name)
  const upper = isAscii ? name.toUpperCase() : name.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
  const others = [upper === name ? name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : upper]
  if (!isAscii)
    others.push(name.normalize("NFC"), name.normalize("NFD"), name.toLowerCase(), name.toUpperCase())
  return others.filter((other) => other !== name)
}
