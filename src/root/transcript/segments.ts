import { isStoreError } from "../../errors.ts"
import type { Base } from "./agent.ts"
import type { ContainerFile, FoundContainer } from "./container.ts"
import { LineSplitter } from "./line-splitter.ts"
import { lookText } from "./look.ts"
import { parseLine } from "./parse-line.ts"
import { piecesOf } from "./pieces.ts"
import type { Following, Segment } from "./segment.ts"

/** What a container is read from, in reading order. */
export interface Segments {
  readonly segments: readonly Segment[]
  /** The sessions that it continues. */
  readonly bases: readonly string[]
  /** Why its beginning is missing. */
  readonly fault?: string | undefined
}

/**
 * Finds what a container is read from: first the parts of its bases, then its own files.
 * @param find the container of a session
 * @throws StoreError `UNREADABLE`, `NOT_FOUND`, `EXHAUSTED`
 */
export async function segmentsOf(
  context: Following,
  container: FoundContainer,
  find: (session: string) => FoundContainer | undefined,
): Promise<Segments> {
  const segments = container.files.map((file) => segmentOf(file))
  const bases: string[] = []
  const seen = new Set([container])
  let short: string | undefined
  const fault = (why: string): Segments => ({ segments, bases, fault: short ?? why })
  let base = await baseOf(context, container)
  while (base) {
    const { session, bytes } = base
    bases.push(session)
    const found = find(session)
    const file = found?.files.at(-1)
    if (!found || !file) return fault(`It begins in the session ${session}, which is not there`)
    if (seen.has(found)) return fault(`It begins in the session ${session}, which begins in it`)
    seen.add(found)
    const isShort = !file.isCompressed && file.stat.size < bytes
    if (isShort) short ??= `It begins in the session ${session}, whose file is shorter than it was`
    segments.unshift(segmentOf(file, isShort ? file.stat.size : bytes))
    // The parts before the missing one are still there.
    base = await baseOf(context, found)
  }
  return { segments, bases, ...(short !== undefined && { fault: short }) }
}

function segmentOf({ path, isCompressed, name, stat }: ContainerFile, until?: number): Segment {
  const modified = Number(stat.mtimeNs / 1_000_000n)
  const inode = String(stat.inode)
  return { path, isCompressed, name, inode, look: lookText(stat), size: stat.size, modified, until }
}

/** The base that a container's own first line names. */
async function baseOf(context: Following, { files }: FoundContainer): Promise<Base | undefined> {
  const { agent, fs, maxLineBytes } = context
  const file = files[0]
  if (!agent.base || !file) return undefined
  const splitter = new LineSplitter(0, 1, maxLineBytes)
  try {
    for await (const piece of piecesOf(fs, file))
      for (const { bytes } of splitter.push(piece)) {
        const first = bytes && parseLine(bytes).values[0]
        return first && agent.base(first.value)
      }
  } catch (error) {
    if (!isStoreError(error, "CORRUPT")) throw error
    return undefined
  }
  // The only line, perhaps without its line end.
  const { bytes } = splitter.rest() ?? {}
  const { values, fault } = bytes ? parseLine(bytes) : { values: [] }
  return fault === undefined && values[0] ? agent.base(values[0].value) : undefined
}
