import * as fs from "node:fs"
import { join } from "node:path"
import type { Size } from "./data/store.ts"

/** What every trial gets. */
export interface Context {
  readonly size: Size
  /** The store of that size, and how many record files it holds. */
  readonly directory: string
  readonly files: number
  /** Where a trial may make what else it needs. */
  readonly scratch: string
  readonly rounds: number
}

/** Takes the index of a store away. */
export function forgetIndex(directory: string): void {
  for (const name of [".sessiondex", ".sessiondex.lock"])
    fs.rmSync(join(directory, name), { recursive: true, force: true })
}

/** Makes an empty folder of that name among the scratch ones. */
export function scratchFolder({ scratch }: Context, name: string): string {
  const folder = join(scratch, name)
  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder, { recursive: true })
  return folder
}

/** The bytes of all files below a folder but those of the index. */
export function bytesOf(folder: string): number {
  return fs.readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name.startsWith(".")) return sum
    const path = join(folder, entry.name)
    return sum + (entry.isDirectory() ? bytesOf(path) : fs.statSync(path).size)
  }, 0)
}

/** Runs a scenario of `child.ts` in a process of its own. */
export async function inChild<T>(scenario: string, directory = ""): Promise<T> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "child.ts"), scenario, directory], {
    stdout: "pipe",
    stderr: "inherit",
  })
  const output = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`The scenario ${scenario} failed`)
  return JSON.parse(output)
}
