import type { FileStat } from "../../file/system.ts"

/** The length of one file's look, in bytes. */
const LOOK_BYTES = 32

/** The times, inode and size of files as bytes that can be compared. */
export function lookOf(stats: readonly FileStat[]): Buffer {
  const look = Buffer.allocUnsafe(LOOK_BYTES * stats.length)
  for (const [at, { mtimeNs, ctimeNs, inode, size }] of stats.entries()) {
    const start = at * LOOK_BYTES
    look.writeBigInt64LE(mtimeNs, start)
    look.writeBigInt64LE(ctimeNs, start + 8)
    look.writeBigInt64LE(BigInt.asIntN(64, inode), start + 16)
    look.writeBigInt64LE(BigInt(size), start + 24)
  }
  return look
}

/** The look of one file as text; empty where there is no file. */
export function lookText(stat: FileStat | undefined): string {
  return stat ? lookOf([stat]).toString("base64") : ""
}
