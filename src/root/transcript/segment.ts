import type { FileSystem } from "../../file/system.ts"
import type { TimeSlice } from "../../time-slice.ts"
import type { ContainerName, TranscriptAgent } from "./agent.ts"
import type { KeptLines } from "./kept-lines.ts"
import type { ReadableFile } from "./pieces.ts"

/** A file of a container, or the part of another one's that it goes on from, as it is to be read. */
export interface Segment extends ReadableFile {
  readonly name: ContainerName
  readonly inode: string
  /** What `stat` said of it. */
  readonly look: string
  readonly size: number
  /** When it was written last, ms since 1970. */
  readonly modified: number
  /** Where it ends for this container; `undefined` for a file of its own. */
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
