import { join, sep } from "node:path"
import { StoreError, systemCode } from "../../errors.ts"
import { EXHAUSTED_HINT, isExhausted, isForTheMoment } from "../../exhaustion.ts"
import { refusalCode } from "../../file/refusal.ts"
import type { FileStat, FileSystem } from "../../file/system.ts"
import { sortTexts } from "../../record/order.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { Problem } from "../problem-log.ts"
import type { TranscriptAgent } from "./agent.ts"
import type { ContainerAt, ContainerFile, FoundContainer } from "./container.ts"
import type { RememberedFolder, WalkMemory } from "./walk-memory.ts"

/** The depth to which folders are searched below those that an agent names. */
export const MAX_DEPTH = 8
/** Looks between two checks whether others should have a turn: some 50 µs. */
const LOOKS_AT_ONCE = 16
/** The ending of a compressed transcript's name. */
export const COMPRESSED = ".zst"

/** What a walk needs. */
export interface WalkContext {
  readonly fs: FileSystem
  readonly place: string
  readonly agent: TranscriptAgent
  readonly slice: TimeSlice
  /** Called with what cannot be looked at. */
  readonly tell: (problem: Problem) => void
  readonly memory: WalkMemory
  /** The number of this walk, from the memory. */
  readonly walk: number
  /** Whether to remember what is found, which costs a stat of each folder. */
  readonly isRemembered: boolean
  /** Whether every later change of a file, or of a folder's names, would change its stat. */
  readonly isSure: (stat: FileStat, kind: "file" | "folder") => boolean
}

/** What a walk found. */
export interface Walked {
  readonly found: readonly FoundContainer[]
  /** Whether no name changed meanwhile, so that all of them were there at one moment. */
  readonly isWhole: boolean
}

/**
 * Finds the containers below a root's place, by folder and name, with one look at each file.
 * @throws StoreError `EXHAUSTED`; the slice's signal's reason
 */
export async function findContainers(context: WalkContext): Promise<Walked> {
  const found: FoundContainer[] = []
  const walked: WalkedFolder[] = []
  let areKnown = true
  let areThere = true
  const waiting = context.agent.folders.map((folder) => ({ folder, depth: 0 })).reverse()
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { folder, depth } = next
    const turn = context.slice.pass()
    if (turn) await turn
    const wasThere = context.memory.folder(folder) !== undefined
    const before = await asBefore(context, folder)
    const { folders, containers, path, stat, hasGone } = before ?? (await readFolder(context, folder))
    if (!before && (wasThere || stat)) areKnown = false
    if (hasGone) areThere = false
    walked.push({ path, stat })
    if (depth < MAX_DEPTH)
      for (let at = folders.length - 1; at >= 0; at--)
        waiting.push({ folder: folders[at] ?? "", depth: depth + 1 })
    for (const container of containers) found.push(container)
  }
  // Where every folder was as it is remembered, nothing was moved that nobody knew of; of what is known it is told if it is missing.
  const isWhole = areThere && (areKnown || (await areStill(context, walked)))
  return { found: context.memory.settle(found), isWhole }
}

/** A folder as it looked before its names were read; without a look where it was not there or refused one. */
type WalkedFolder = Pick<RememberedFolder, "path"> & { readonly stat: FileStat | undefined }

async function areStill({ fs, slice }: WalkContext, folders: readonly WalkedFolder[]): Promise<boolean> {
  for (const { path, stat } of folders) {
    const turn = slice.pass()
    if (turn) await turn
    if (looking(fs, path, untold, () => fs.stat(path, stat)) !== stat) return false
  }
  return true
}

/** The container of that folder and name as it is now. @throws as `findContainers` */
export async function findContainer(
  context: WalkContext,
  { folder, name }: ContainerAt,
): Promise<FoundContainer | undefined> {
  const { fs, place, tell } = context
  const known = knownFolder(context, folder)?.containers.find((container) => container.name === name)
  const now = known && lookedAgain(context, known)
  const within = known && context.memory.folderOf(known)
  if (now && within) context.memory.noteFolder(now, within)
  if (now) return now
  const path = join(place, folder)
  // Where that is refused the names are, too.
  const stat = looking(fs, path, untold, () => fs.stat(path))
  const names = looking(fs, path, tell, () => fs.readNames(path)) ?? []
  const { containers, isWhole } = await containersOf(context, folder, path, names, name)
  const [container] = containers
  if (container && stat && isWhole && context.isSure(stat, "folder"))
    context.memory.noteFolder(container, stat)
  return container
}

/** What is in a folder. */
interface Held extends WalkedFolder, Pick<RememberedFolder, "folders" | "containers"> {
  /** Whether a name of it was no file any more when it was looked at. */
  readonly hasGone?: boolean
}

function knownFolder(
  { fs, memory }: Pick<WalkContext, "fs" | "memory">,
  folder: string,
): RememberedFolder | undefined {
  const known = memory.folder(folder)
  return known && isStill(fs, known.path, known.stat, "stat") ? known : undefined
}

/** Whether a container, including the names in its folder, is known to be unchanged since it was found. @throws StoreError `EXHAUSTED` */
export function isAsFound(
  { fs, place, memory }: Pick<WalkContext, "fs" | "place" | "memory">,
  container: FoundContainer,
): boolean {
  const stat = memory.folderOf(container)
  return (
    stat !== undefined &&
    isStill(fs, join(place, container.folder), stat, "stat") &&
    container.files.every(({ path, stat, isProven }) => isProven && isStill(fs, path, stat, "lstat"))
  )
}

/** Whether a path has the same stat as before. What the system refuses is reported when it is read. */
function isStill(fs: FileSystem, path: string, before: FileStat, by: "stat" | "lstat"): boolean {
  return looking(fs, path, untold, () => fs[by](path, before)) === before
}

function untold(): void {}

/** A folder with unchanged names, each file looked at; `undefined` for any other. */
async function asBefore(context: WalkContext, folder: string): Promise<Held | undefined> {
  const known = knownFolder(context, folder)
  if (!known) return undefined
  let containers: FoundContainer[] | undefined
  let at = 0
  for (const container of known.containers) {
    const turn = at % LOOKS_AT_ONCE === 0 ? context.slice.pass() : undefined
    if (turn) await turn
    const now = lookedAgain(context, container)
    if (!now) return undefined
    if (now !== container) containers ??= known.containers.slice(0, at)
    containers?.push(now)
    at++
  }
  if (!containers) {
    known.seen = context.walk
    return known
  }
  const now: RememberedFolder = { ...known, containers, seen: context.walk }
  context.memory.remember(folder, now)
  return now
}

/** A container as it is now: the same object if it is unchanged; `undefined` if one of its names is not a file any more. */
function lookedAgain(context: WalkContext, container: FoundContainer): FoundContainer | undefined {
  let files: ContainerFile[] | undefined
  let at = 0
  for (const file of container.files) {
    const now = lookAt(context, file, file.isProven ? file.stat : undefined)
    if (!now) return undefined
    if (now !== file) files ??= container.files.slice(0, at)
    files?.push(now)
    at++
  }
  return files ? { ...container, files } : container
}

/** A file as it is now: the same object if it is unchanged; `undefined` if it is not a file. */
function lookAt(
  { fs, tell, isSure }: WalkContext,
  file: ContainerFile | Omit<ContainerFile, "stat" | "isProven">,
  like: FileStat | undefined,
): ContainerFile | undefined {
  const { path } = file
  const stat = looking(fs, path, tell, () => fs.lstat(path, like))
  if ("stat" in file && stat === like) return file
  return stat?.kind === "file" ? { ...file, stat, isProven: isSure(stat, "file") } : undefined
}

async function readFolder(context: WalkContext, folder: string): Promise<Held> {
  const { fs, place, tell, memory, isRemembered, isSure } = context
  const path = join(place, folder)
  // Before the names are read, so that it belongs to these names or older ones, never to newer ones.
  const stat = looking(fs, path, isRemembered ? tell : untold, () => fs.stat(path))
  const entries = looking(fs, path, tell, () => fs.readDirectory(path))
  if (!entries) {
    memory.forget(folder)
    return { path, stat, folders: [], containers: [] }
  }
  const names: string[] = []
  const folders: string[] = []
  for (const { name, kind } of entries)
    if (kind === "directory") folders.push(folder === "" ? name : `${folder}/${name}`)
    else if (kind === "file") names.push(name)
  sortTexts(folders)
  const { containers, isWhole, hasGone } =
    names.length === 0 ? NOTHING : await containersOf(context, folder, path, names)
  if (isRemembered && stat && isWhole && isSure(stat, "folder"))
    memory.remember(folder, { path, stat, folders, containers })
  else memory.forget(folder)
  return { path, stat, folders, containers, hasGone }
}

/** The containers of a folder. */
interface Containers {
  readonly containers: readonly FoundContainer[]
  /** Whether every file that looks like one is in them. */
  readonly isWhole: boolean
  /** Whether one is missing though nobody refused to look at it. */
  readonly hasGone: boolean
}

const NOTHING: Containers = { containers: [], isWhole: true, hasGone: false }

async function containersOf(
  context: WalkContext,
  folder: string,
  path: string,
  names: readonly string[],
  only?: string,
): Promise<Containers> {
  const { agent, slice } = context
  let refused = 0
  const counting: WalkContext = {
    ...context,
    tell: (problem) => {
      refused++
      context.tell(problem)
    },
  }
  let gone = 0
  const there = new Set(names.some((file) => file.endsWith(COMPRESSED)) ? names : [])
  const byName = new Map<string, ContainerFile[]>()
  let left = 0
  for (const file of names) {
    const isCompressed = file.endsWith(COMPRESSED)
    const plain = isCompressed ? file.slice(0, -COMPRESSED.length) : file
    // Of both, the plain one counts.
    if (isCompressed && there.has(plain)) continue
    const name = agent.container(folder === "" ? plain : `${folder}/${plain}`)
    if (!name || (only !== undefined && name.name !== only)) continue
    const turn = slice.pass()
    if (turn) await turn
    left++
    const found = lookAt(counting, { path: path + sep + file, name, isCompressed }, undefined)
    if (!found) {
      gone++
      continue
    }
    const files = byName.get(name.name) ?? []
    files.push(found)
    byName.set(name.name, files)
  }
  const containers = sortTexts([...byName.keys()]).map((name) => ({
    folder,
    name,
    files: newestOfEachRank(byName.get(name) ?? []),
  }))
  for (const { files } of containers) left -= files.length
  return { containers, isWhole: left === 0, hasGone: gone > refused }
}

function newestOfEachRank(files: readonly ContainerFile[]): readonly ContainerFile[] {
  if (files.length === 1) return files
  const byRank = new Map<number, ContainerFile>()
  for (const file of files) {
    const known = byRank.get(file.name.rank)
    if (!known || file.stat.mtimeNs > known.stat.mtimeNs) byRank.set(file.name.rank, file)
  }
  return [...byRank.values()].sort((a, b) => a.name.rank - b.name.rank)
}

/** The result of a look; `undefined` if the system refuses it, which is reported. @throws StoreError `EXHAUSTED` */
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
