import { join } from "node:path"
import { systemCode } from "../errors.ts"
import type { FileSystem } from "../file/system.ts"
import type { TranscriptAgent } from "../root/transcript/agent.ts"
import { AGENTS } from "../root/transcript/agents.ts"
import { TimeSlice } from "../time-slice.ts"

/** A database's newest state may lie beside it. */
const BESIDE = ["", "-wal"]

/**
 * How many bytes a history takes where it lies: those of its transcripts alone, of a database with what was not moved into it yet, or of all
 * files of a folder but for those in dot-folders, as our index. What cannot be looked at counts for nothing. @throws the signal's reason
 */
export async function historyBytes(
  fs: FileSystem,
  { source, place }: { readonly source: string; readonly place: string },
  signal?: AbortSignal,
): Promise<number> {
  const sizeOf = (path: string): number => {
    const stat = quietly(() => fs.lstat(path))
    return stat?.kind === "file" ? stat.size : 0
  }
  if (quietly(() => fs.stat(place))?.kind !== "directory")
    return BESIDE.reduce((sum, end) => sum + sizeOf(place + end), 0)
  const agents: Readonly<Record<string, TranscriptAgent>> = AGENTS
  const agent = agents[source]
  const slice = new TimeSlice(signal)
  const waiting = agent ? [...agent.folders] : [""]
  let sum = 0
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for (const { name, kind } of quietly(() => fs.readDirectory(join(place, folder))) ?? []) {
      const turn = slice.pass()
      if (turn) await turn
      const path = folder === "" ? name : `${folder}/${name}`
      if (kind === "directory") {
        if (!name.startsWith(".")) waiting.push(path)
      } else if (!agent || agent.container(path.replace(/\.zst$/, ""))) sum += sizeOf(join(place, path))
    }
  return sum
}

function quietly<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}
