import type { FileStat } from "../../file/system.ts"
import { compareText } from "../../record/order.ts"
import type { ContainerName } from "./agent.ts"

/** One file of a container. */
export interface ContainerFile {
  readonly path: string
  readonly stat: FileStat
  /** Whether every later change would change its stat. */
  readonly isProven: boolean
  readonly name: ContainerName
  readonly isCompressed: boolean
}

/** A container as it was found, with its files in reading order. */
export interface FoundContainer {
  /** Its folder, below the root's place. */
  readonly folder: string
  readonly name: string
  readonly files: readonly ContainerFile[]
}

/** When a container's newest file was written, ms since 1970. No session in it counts as newer. */
export function modifiedAt({ files }: FoundContainer): number {
  let newest = files[0]?.stat.mtimeNs ?? 0n
  for (const { stat } of files) if (stat.mtimeNs > newest) newest = stat.mtimeNs
  return Number(newest / 1_000_000n)
}

/** What the ids of a container's sessions begin with; `undefined` where they may be any. */
export function prefixesOf({ prefixes, session }: ContainerName): readonly string[] | undefined {
  return prefixes ?? (session === undefined ? undefined : [session])
}

/** The identity of a container. */
export interface ContainerAt {
  readonly folder: string
  readonly name: string
}

/** Orders by folder and name. Of equal copies of a session the last one counts. */
export function compareContainers(a: ContainerAt, b: ContainerAt): number {
  return compareText(a.folder, b.folder) || compareText(a.name, b.name)
}

/** A unique key of a container. */
export function keyOf({ folder, name }: ContainerAt): string {
  return `${folder}/${name}`
}
