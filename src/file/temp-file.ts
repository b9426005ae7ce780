import { join } from "node:path"
import { systemCode } from "../errors.ts"
import type { DeviceClock } from "./clock.ts"
import { lstatQuietly } from "./reader.ts"
import type { FileSystem } from "./system.ts"

const FORM = /^\.sessiondex-(\d+)-[0-9a-z]+\.tmp$/
const HOUR_NS = 3_600_000_000_000n

/** A new path in a folder, with a name that no listing shows and that contains our pid. */
export function tempPath(folder: string): string {
  const random = Math.random().toString(36).slice(2, 12)
  return join(folder, `.sessiondex-${process.pid}-${random}.tmp`)
}

/** Whether a file's name is that of a temp file of this package. */
export function isTempName(name: string): boolean {
  return FORM.test(name)
}

/** Whether a process with that id runs on this system. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === "EPERM"
  }
}

/**
 * Removes temp files of this package that a killed process left: the process is gone *and* the file is older than an hour by the
 * device's clock, since a pid says nothing across containers. Other programs' temp files are never touched.
 * @param names file names in `folder` that start with a dot
 */
export function sweepTempFiles(
  fs: FileSystem,
  clock: DeviceClock,
  folder: string,
  names: readonly string[],
): void {
  for (const name of names) {
    const pid = FORM.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const path = join(folder, name)
    const stat = lstatQuietly(fs, path)
    if (stat?.kind !== "file") continue
    const now = clock.now(stat.device)
    if (now === undefined || now - stat.ctimeNs <= HOUR_NS) continue
    try {
      fs.removeFile(path)
    } catch {
      // It stays for a process that may remove it; no listing fails because of it.
    }
  }
}
