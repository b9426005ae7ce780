import { statfsSync } from "node:fs"
import { tmpdir } from "node:os"

const MEMORY = "/dev/shm"
/** Room for many small files, in bytes. */
const ROOM = 2 ** 30

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize > ROOM
  } catch {
    return false
  }
}

// A process that a test starts has the folder in memory for its own; where the disk is it is told.
process.env.SESSIONDEX_TEST_DISK ??= tmpdir()

/** The folder on the disk for temporary files. The system's own, `tmpdir()`, is one in memory from here on, where there is room. */
export const DISK = process.env.SESSIONDEX_TEST_DISK

if (hasRoom()) process.env.TMPDIR = MEMORY
