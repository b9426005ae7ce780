import { lstatSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { isAlive } from "../file/temp-file.ts"

const FORM = /^sessiondex-(\d+)-[0-9a-f]{8}-[0-9a-f-]{27}$/
const HOUR_MS = 3_600_000

/** The system's temp folder. `node:os` is loaded here because few stores are read-only. */
function temporary(): string {
  return process.getBuiltinModule("node:os").tmpdir()
}

/** The private folders that this process uses. */
const folders = new Set<string>()

/** The path for the folder of an index that is removed when the process ends, even if it was not closed. The folder is not made yet. */
export function newPrivateFolder(): string {
  return join(temporary(), `sessiondex-${process.pid}-${Bun.randomUUIDv7()}`)
}

/** Registers a private folder to be removed at exit. Call it before the folder is made. */
export function keepPrivateFolder(folder: string): void {
  if (folders.has(folder)) return
  if (folders.size === 0) {
    process.on("exit", removeAll)
    sweep()
  }
  folders.add(folder)
}

/** Removes a private folder, if there is one. */
export function removePrivateFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  if (folders.delete(folder) && folders.size === 0) process.off("exit", removeAll)
}

function removeAll(): void {
  for (const folder of folders) removeQuietly(folder)
}

/** Removes what killed processes of this user left. Only after an hour, since a pid says nothing across containers. */
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
    // Making a folder there will report what is wrong with it.
    return []
  }
}

function removeQuietly(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // It stays for the next sweep. It holds only copies, which only this user can read.
  }
}
