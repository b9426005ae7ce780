import type { StoreErrorCode } from "../errors.ts"
import type { CollectionKind } from "../record/kind.ts"

/** A record or folder that cannot be read. */
export interface UnreadableRecord {
  readonly path: string
  readonly code: StoreErrorCode
  readonly message: string
}

/** How far a walk has come. */
export interface WalkProgress {
  readonly kind: CollectionKind
  /** Folders of this kind that are done, and how many there are. */
  readonly done: number
  readonly total: number
  /** Record files read so far, over all kinds. */
  readonly read: number
}

/** What a walk found. */
export interface WalkResult {
  /** Record files by name, readable or not. */
  readonly sessions: number
  readonly messages: number
  readonly parts: number
  /** Record files that had to be read: those whose stamp was not known. */
  readonly read: number
  readonly unreadable: UnreadableRecord[]
  readonly elapsedMs: number
}

/** How to bring an index up to date. */
export interface IndexOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined
}
