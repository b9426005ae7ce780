import type { FileSystem } from "../../file/system.ts"
import { piecesOf, type ReadableFile, withDescriptor } from "./pieces.ts"

/** A stretch of a file. */
export interface Stretch {
  readonly offset: number
  readonly length: number
}

/**
 * Reads stretches of a file in file order, one at a time. A compressed file is read once, up to the last stretch.
 * @param use given each with its bytes, fewer where the file is shorter by now
 * @throws StoreError as `piecesOf`; what `use` throws
 */
export async function withSpans<S extends Stretch>(
  fs: FileSystem,
  file: ReadableFile,
  stretches: readonly S[],
  use: (stretch: S, bytes: Buffer) => Promise<void> | void,
): Promise<void> {
  const inOrder = stretches.toSorted((a, b) => a.offset - b.offset)
  if (file.isCompressed) return fromPieces(fs, file, inOrder, use)
  await withDescriptor(fs, file.path, async (descriptor) => {
    for (const stretch of inOrder) {
      const bytes = Buffer.allocUnsafe(stretch.length)
      const length = fs.readAt(descriptor, bytes, stretch.offset)
      await use(stretch, bytes.subarray(0, length))
    }
  })
}

async function fromPieces<S extends Stretch>(
  fs: FileSystem,
  file: ReadableFile,
  inOrder: readonly S[],
  use: (stretch: S, bytes: Buffer) => Promise<void> | void,
): Promise<void> {
  const until = Math.max(0, ...inOrder.map(({ offset, length }) => offset + length))
  const waiting = [...inOrder]
  let open: { stretch: S; bytes: Buffer[]; got: number }[] = []
  let at = 0
  for await (const piece of piecesOf(fs, file, 0, until)) {
    while (waiting[0] && waiting[0].offset < at + piece.length) {
      const stretch = waiting.shift()
      if (stretch) open.push({ stretch, bytes: [], got: 0 })
    }
    for (const one of open) {
      const from = Math.max(0, one.stretch.offset + one.got - at)
      const taken = piece.subarray(from, from + one.stretch.length - one.got)
      one.bytes.push(Buffer.from(taken))
      one.got += taken.length
      if (one.got === one.stretch.length) await use(one.stretch, Buffer.concat(one.bytes))
    }
    open = open.filter(({ got, stretch }) => got < stretch.length)
    at += piece.length
  }
}
