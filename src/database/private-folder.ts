import { lstatSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { isAlive } from "../file/temp-file.ts"

const FORM = /^sessiondex-(\d+)-[0-9a-f]{8}-[0-9a-f-]{27}$/
const HOUR_MS = 3_600_000

/** Loaded when it is needed: few stores are read-only. */
function temporary(): string {
  return process.getBuiltinModule("node:os").tmpdir()
}

/** The private folders of this process that are in use. */
const folders = new Set<string>()

/** The path of a folder for an index that goes with the process, be it closed or not; it is not made yet. */
export function newPrivateFolder(): string {
  return join(temporary(), `sessiondex-${process.pid}-${Bun.randomUUIDv7()}`)
}

/** To be called before a private folder is made. */
export function keepPrivateFolder(folder: string): void {
  if (folders.has(folder)) return
  if (folders.size === 0) {
    process.on("exit", removeAll)
    sweep()
  }
  folders.add(folder)
}

/** Removes a private folder; what is not there is none of its business. */
export function removePrivateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  if (folders.delete(folder) && folders.size === 0) process.off("exit", removeAll)
}

function removeAll(): void {
  for (const folder of folders) removeQuietly(folder)
}

/** Removes what killed processes of this user left: a pid says nothing across containers, so only after an hour. */
function sweep(): void {
  for (const name of namesIn(temporary())) {
    const pid = FORM.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const folder = join(temporary(), name)
    const stat = lstatSync(folder, { throwIfNoEntry: false })
    if (!stat?.isDirectory() || stat.uid !== process.getuid?.()) continue
    if (Date.now() - stat.mtimeMs > HOUR_MS) removeQuietly(folder)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    // Whoever makes a folder there is told what is wrong with it.
    return []
  }
}

function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // It stays for the next sweep: a copy of what the files hold, which only this user can read.
  }
}
