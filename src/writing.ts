import { Coalescer } from "./file/coalescer.ts"
import type { ProcessLock } from "./file/lock.ts"
import type { FileSystem } from "./file/system.ts"
import { type Change, WriteQueue, type Writes } from "./file/write-queue.ts"
import type { ResolvedOptions } from "./options.ts"
import { fieldsOf } from "./record/extract.ts"
import { changeOf } from "./root/change.ts"
import type { JsonRoot } from "./root/json/json-root.ts"
import { folderPublisher, publisher } from "./root/json/publisher.ts"
import { RecordWriter } from "./root/json/record-writer.ts"
import type { ChangeFeed } from "./watch/change-feed.ts"
import type { OwnWrites } from "./watch/own-writes.ts"

/** What a store is written with. */
export interface WritingParts {
  readonly options: ResolvedOptions
  readonly fs: FileSystem
  readonly filesOnly: boolean
  readonly own: JsonRoot
  readonly lock: ProcessLock
  readonly feed: ChangeFeed
  /** Where the store is watched. */
  readonly ownWrites: OwnWrites | undefined
  readonly mustBeOpen: () => void
}

/** The way of a change to the own folder: checked and handed over; held back; made. */
export interface Writing {
  readonly records: RecordWriter
  readonly coalescer: Coalescer
  readonly queue: WriteQueue
  readonly writes: Writes
  /** Notes changes that reached the disk in the index, and tells of them. */
  publish(changes: readonly Change[]): Promise<void>
  /** As `folderPublisher`. */
  publishFolders: ReturnType<typeof folderPublisher>
}

/**
 * Puts together what writes: a change is made in its file first, then noted in the index, then told. Loaded with the first change, so that a
 * store that is only read starts sooner.
 */
export function makeWriting(parts: WritingParts): Writing {
  const { options, fs, filesOnly, own, lock, feed, ownWrites, mustBeOpen } = parts
  const { directory, logger, schemas, readOnly } = options
  const onMissed = (): void => own.indexing.noteMissed()
  const note = publisher(own.within.index, logger, onMissed)
  const noteFolders = folderPublisher(own.within, logger, onMissed)
  const publish = async (changes: readonly Change[]): Promise<void> => {
    coalescer.noteWritten(changes)
    ownWrites?.note(changes)
    if (!filesOnly) await note(changes)
    own.indexing.nudge()
    if (!feed.isHeard) return
    for (const { key, content } of changes) {
      const body = content && "value" in content ? fieldsOf(content.value) : {}
      feed.publish(changeOf(key, content ? "written" : "removed", "store", body))
    }
  }
  const queue = new WriteQueue({ ...options, fs, lock, publish })
  const writes = ownWrites ? told(queue, directory, ownWrites) : queue
  const coalescer = new Coalescer(fs, directory, writes, lock, logger)
  return {
    records: new RecordWriter(directory, writes, coalescer, schemas, readOnly, mustBeOpen),
    coalescer,
    queue,
    writes,
    publish,
    publishFolders: async (places) => {
      if (filesOnly) return
      await noteFolders(places)
      own.indexing.nudge()
    },
  }
}

function told(writes: Writes, directory: string, ownWrites: OwnWrites): Writes {
  return {
    enqueue: (job) => ownWrites.during(directory, job, (job) => writes.enqueue(job)),
    exclusively: (work) => writes.exclusively((held) => work(told(held, directory, ownWrites))),
  }
}
