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
  /** What is worked on: folders of one kind, or with `text` messages, whose texts are put into the full-text index. */
  readonly kind: CollectionKind | "text"
  /** How many of them are done, and how many there are. */
  readonly done: number
  readonly total: number
  /** Record files read so far, over all kinds. */
  readonly read: number
}

/** What a walk found. */
export interface WalkResult {
  /** How many record files there are by name, readable or not. */
  readonly sessions: number
  readonly messages: number
  readonly parts: number
  /** How many record files had to be read, because their stamp was not known. */
  readonly read: number
  readonly unreadable: UnreadableRecord[]
  /** How long everything took, texts included. */
  readonly elapsedMs: number
  /** How much of that the texts took: collecting their trigrams and putting them into the full-text index. */
  readonly textsMs: number
}

/** The result of a walk that found nothing. */
export const NOTHING_WALKED: Readonly<WalkResult> = {
  sessions: 0,
  messages: 0,
  parts: 0,
  read: 0,
  unreadable: [],
  elapsedMs: 0,
  textsMs: 0,
}

/** A function that reports the progress of texts, in messages. @param read how many record files were read before */
export function textProgress(
  { onProgress }: IndexOptions,
  read: number,
): ((done: number, total: number) => void) | undefined {
  return onProgress && ((done, total) => onProgress({ kind: "text", done, total, read }))
}

/** How to bring an index up to date. */
export interface IndexOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: WalkProgress) => void) | undefined
}
