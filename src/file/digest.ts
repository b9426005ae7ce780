import { systemCode } from "../errors.ts"
import type { FileSystem } from "./system.ts"

/** A digest of what a record's file holds, or the kind of what lies there instead of a file. */
export type Digest = string

/** The digest if there is no file. */
export const ABSENT: Digest = "absent"

/** The digest of a file that holds this text. */
export function digestOfText(text: string): Digest {
  return new Bun.CryptoHasher("sha256").update(text).digest("base64")
}

/** The digest of what lies under a name. A file is read in pieces, whatever its size. @throws what the system throws */
export function digestOf(fs: FileSystem, path: string): Digest {
  const kind = fs.lstat(path)?.kind
  if (kind === undefined) return ABSENT
  if (kind !== "file") return kind
  const hash = new Bun.CryptoHasher("sha256")
  try {
    for (const piece of fs.readPieces(path)) hash.update(piece)
  } catch (error) {
    if (systemCode(error) === "ENOENT") return ABSENT
    throw error
  }
  return hash.digest("base64")
}
