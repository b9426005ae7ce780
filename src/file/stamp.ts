import type { FileStat } from "./system.ts"

/**
 * A stamp says which version of a file was read: the modification time, change time and inode of its `stat`, packed into one BLOB
 * (nanoseconds do not fit a JavaScript number). The size is kept beside it. Git's index and notmuch's Maildir scan use the same idea.
 *
 * A stamp proves nothing while another change could still fall into the same tick of the device's clock ("racily clean", git's
 * Documentation/technical/racy-git.txt). Such a stamp has one more byte and never counts as known.
 */
export type Stamp = Uint8Array

/** The length of a stamp that may be trusted, in bytes. */
export const KNOWN_BYTES = 24
const SECOND_NS = 1_000_000_000n
/** Two changes within this time may leave the same times, in ns. */
const GRANULARITY_NS = 100_000_000n
/** The same for file systems whose times are whole seconds (ext3, HFS+) or every second one (FAT). */
const COARSE_GRANULARITY_NS = 2n * SECOND_NS

/**
 * Whether no later change can leave the same stamp.
 * @param nowNs the device's own clock (`DeviceClock`), read *before* the stat was taken
 */
export function isProven(stat: Pick<FileStat, "ctimeNs">, nowNs: bigint | undefined): boolean {
  if (nowNs === undefined) return false
  const window = stat.ctimeNs % SECOND_NS === 0n ? COARSE_GRANULARITY_NS : GRANULARITY_NS
  return nowNs - stat.ctimeNs >= window
}

// Shared: filled and read within one synchronous call. Comparing bytes saves a view of each stored stamp.
const packed = Buffer.alloc(KNOWN_BYTES)
const fields = new DataView(packed.buffer, packed.byteOffset, KNOWN_BYTES)

function pack(stat: FileStat): Buffer {
  fields.setBigInt64(0, stat.mtimeNs, true)
  fields.setBigInt64(8, stat.ctimeNs, true)
  fields.setBigInt64(16, stat.inode, true)
  return packed
}

/** Packs a stat into a stamp; if it is not proven, the stamp is marked as unknown. */
export function packStamp(stat: FileStat, proven: boolean): Stamp {
  const stamp = Buffer.alloc(proven ? KNOWN_BYTES : KNOWN_BYTES + 1)
  pack(stat).copy(stamp)
  return stamp
}

/** Whether a later call may trust a stamp. */
export function isKnown(stamp: Stamp | null): stamp is Stamp {
  return stamp !== null && stamp.byteLength === KNOWN_BYTES
}

/** Whether a stamp, known or not, and a size are those of this stat. */
export function sameStamp(stamp: Stamp | null, size: number, stat: FileStat): boolean {
  if (stamp === null || stamp.byteLength < KNOWN_BYTES || size !== stat.size) return false
  return pack(stat).compare(stamp, 0, KNOWN_BYTES) === 0
}

/** Whether two stats are of the same version of the same file. */
export function sameStat(a: FileStat | undefined, b: FileStat | undefined): boolean {
  if (!a || !b) return a === b
  return (
    a.ctimeNs === b.ctimeNs &&
    a.mtimeNs === b.mtimeNs &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.kind === b.kind
  )
}
