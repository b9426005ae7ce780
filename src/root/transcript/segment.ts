import type { FileSystem } from "../../file/system.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { ContainerName, TranscriptAgent } from "./agent.ts"
import type { KeptLines } from "./kept-lines.ts"
import type { ReadableFile } from "./pieces.ts"

/** A file of a container, or the part of a base's file, that is to be read. */
export interface Segment extends ReadableFile {
  readonly name: ContainerName
  readonly inode: string
  /** Its `stat`. */
  readonly look: string
  readonly size: number
  /** When it was last written, ms since 1970. */
  readonly modified: number
  /** Where this container's part of it ends, in bytes; `undefined` for a file of its own. */
  readonly until?: number | undefined
}

/** What reading a container needs. */
export interface Following {
  readonly fs: FileSystem
  readonly agent: TranscriptAgent
  readonly maxLineBytes: number
  readonly slice: TimeSlice
  /** Takes the lines that are read. */
  readonly keep?: KeptLines | undefined
}
