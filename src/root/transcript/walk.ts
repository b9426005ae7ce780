import { join } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { EXHAUSTED_HINT, isExhausted, isForTheMoment } from "../../exhaustion.ts"
import { refusalCode } from "../../file/refusal.ts"
import type { FileStat, FileSystem } from "../../file/system.ts"
import { compareText } from "../../record/order.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { Problem } from "../problem-log.ts"
import type { ContainerName, TranscriptAgent } from "./agent.ts"

/** Folders lie no deeper than this below those that an agent names. */
export const MAX_DEPTH = 8
/** What a compressed transcript's name ends in. */
export const COMPRESSED = ".zst"

/** One file of a container as it lies there. */
export interface ContainerFile {
  readonly path: string
  readonly stat: FileStat
  readonly name: ContainerName
  readonly isCompressed: boolean
}

/** A container as it was found: its files in the order in which they are read. */
export interface FoundContainer {
  /** The folder that it lies in, below the root's place. */
  readonly folder: string
  readonly name: string
  readonly files: readonly ContainerFile[]
}

/** When a container's newest file was written, ms since 1970: nothing in it counts as later. */
export function modifiedAt({ files }: FoundContainer): number {
  return Math.max(...files.map(({ stat }) => Number(stat.mtimeNs / 1_000_000n)))
}

/** What the ids of a container's sessions begin with; `undefined` where they may be any. */
export function prefixesOf({ prefixes, session }: ContainerName): readonly string[] | undefined {
  return prefixes ?? (session === undefined ? undefined : [session])
}

/** Which container. */
export interface ContainerAt {
  readonly folder: string
  readonly name: string
}

/** By folder and name: among equal copies of a session the last counts. */
export function compareContainers(a: ContainerAt, b: ContainerAt): number {
  return compareText(a.folder, b.folder) || compareText(a.name, b.name)
}

/**
 * Finds the containers below a root's place, by folder and name, with one look at each file. What cannot be looked at is told.
 * @throws StoreError `EXHAUSTED`; the slice's signal's reason
 */
export async function findContainers(
  fs: FileSystem,
  place: string,
  agent: TranscriptAgent,
  slice: TimeSlice,
  tell: (problem: Problem) => void,
): Promise<FoundContainer[]> {
  const found: FoundContainer[] = []
  const waiting = agent.folders.map((folder) => ({ folder, depth: 0 })).reverse()
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { folder, depth } = next
    const turn = slice.pass()
    if (turn) await turn
    const path = join(place, folder)
    const entries = looking(fs, path, tell, () => fs.readDirectory(path))
    if (!entries) continue
    const names: string[] = []
    const folders: string[] = []
    for (const { name, kind } of entries)
      if (kind === "directory") folders.push(name)
      else if (kind === "file") names.push(name)
    if (depth < MAX_DEPTH)
      for (const name of folders.sort(compareText).reverse())
        waiting.push({ folder: folder === "" ? name : `${folder}/${name}`, depth: depth + 1 })
    found.push(...(await containersOf(fs, place, folder, names, agent, slice, tell)))
  }
  return found
}

/** The container of that folder and name, as it lies there now. @throws as `findContainers` */
export async function findContainer(
  fs: FileSystem,
  place: string,
  { folder, name }: ContainerAt,
  agent: TranscriptAgent,
  slice: TimeSlice,
  tell: (problem: Problem) => void,
): Promise<FoundContainer | undefined> {
  const path = join(place, folder)
  const names = looking(fs, path, tell, () => fs.readNames(path)) ?? []
  return (await containersOf(fs, place, folder, names, agent, slice, tell, name))[0]
}

async function containersOf(
  fs: FileSystem,
  place: string,
  folder: string,
  names: readonly string[],
  agent: TranscriptAgent,
  slice: TimeSlice,
  tell: (problem: Problem) => void,
  only?: string,
): Promise<FoundContainer[]> {
  const there = new Set(names)
  const byName = new Map<string, ContainerFile[]>()
  for (const file of names) {
    const isCompressed = file.endsWith(COMPRESSED)
    const plain = isCompressed ? file.slice(0, -COMPRESSED.length) : file
    // Where both are there the plain one counts.
    if (isCompressed && there.has(plain)) continue
    const name = agent.container(folder === "" ? plain : `${folder}/${plain}`)
    if (!name || (only !== undefined && name.name !== only)) continue
    const turn = slice.pass()
    if (turn) await turn
    const path = join(place, folder, file)
    const stat = looking(fs, path, tell, () => fs.lstat(path))
    if (stat?.kind !== "file") continue
    const files = byName.get(name.name) ?? []
    files.push({ path, stat, name, isCompressed })
    byName.set(name.name, files)
  }
  return [...byName]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, files]) => ({ folder, name, files: newestOfEachRank(files) }))
}

function newestOfEachRank(files: readonly ContainerFile[]): ContainerFile[] {
  const byRank = new Map<number, ContainerFile>()
  for (const file of files) {
    const known = byRank.get(file.name.rank)
    if (!known || file.stat.mtimeNs > known.stat.mtimeNs) byRank.set(file.name.rank, file)
  }
  return [...byRank.values()].sort((a, b) => a.name.rank - b.name.rank)
}

/** What a look gives; `undefined`, which is told, where the system refuses it. @throws StoreError `EXHAUSTED` */
export function looking<T>(
  fs: FileSystem,
  path: string,
  tell: (problem: Problem) => void,
  look: () => T | undefined,
): T | undefined {
  try {
    return look()
  } catch (cause) {
    if (systemCode(cause) === undefined && !isExhausted(cause)) throw cause
    if (isForTheMoment(cause))
      throw new StoreError("EXHAUSTED", `${path} cannot be looked at for want of means`, {
        path,
        cause,
        hint: EXHAUSTED_HINT,
      })
    const message = `It cannot be looked at (${systemCode(cause) ?? "error"})`
    tell({ path, code: refusalCode(fs, path, cause), message })
    return undefined
  }
}

/** A name of a container that no other has. */
export function keyOf({ folder, name }: ContainerAt): string {
  return `${folder}/${name}`
}
