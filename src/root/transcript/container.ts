import type { FileStat } from "../../file/system.ts"
import { compareText } from "../../record/order.ts"
import type { ContainerName } from "./agent.ts"

/** One file of a container as it lies there. */
export interface ContainerFile {
  readonly path: string
  readonly stat: FileStat
  /** Whether no later change can leave it the same stat. */
  readonly isProven: boolean
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
  let newest = files[0]?.stat.mtimeNs ?? 0n
  for (const { stat } of files) if (stat.mtimeNs > newest) newest = stat.mtimeNs
  return Number(newest / 1_000_000n)
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

/** A name of a container that no other has. */
export function keyOf({ folder, name }: ContainerAt): string {
  return `${folder}/${name}`
}
