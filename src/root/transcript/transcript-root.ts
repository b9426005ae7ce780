import { join } from "node:path"
import { SqliteIndex } from "../../database/sqlite-index.ts"
import { DeviceClock } from "../../file/clock.ts"
import type { WatchFolder } from "../../file/folder-watches.ts"
import { type FileSystem, fileSystem } from "../../file/system.ts"
import type { StoreChange } from "../change.ts"
import { FallbackCatalog } from "../json/fallback-catalog.ts"
import { ProblemLog } from "../problem-log.ts"
import type { Root, RootContext, RootProvider } from "../root.ts"
import type { RootWatch } from "../root-watch.ts"
import { ScannedTexts } from "../scanned/scanned-texts.ts"
import { ScannedUpkeep } from "../scanned/scanned-upkeep.ts"
import type { TranscriptAgent } from "./agent.ts"
import { FallbackLookup } from "./fallback-lookup.ts"
import { IndexedLookup } from "./indexed-lookup.ts"
import { PlainCatalog } from "./plain-catalog.ts"
import { PlainLookup } from "./plain-lookup.ts"
import { Settled } from "./settled.ts"
import { TranscriptCatalog } from "./transcript-catalog.ts"
import { TranscriptIndex } from "./transcript-index.ts"
import { TranscriptRecords } from "./transcript-records.ts"
import { TranscriptTexts } from "./transcript-texts.ts"
import { TranscriptUpkeep } from "./transcript-upkeep.ts"
import { TranscriptVersions } from "./transcript-versions.ts"
import { Transcripts } from "./transcripts.ts"

/** Options of a root of transcripts. */
export interface TranscriptRootOptions {
  readonly fs?: FileSystem
  /** Answer from the transcripts alone, without any index. */
  readonly filesOnly?: boolean
  /** Watches a folder; by default with the system's own means. */
  readonly watch?: WatchFolder
}

/**
 * A root over the transcripts of an agent, read in place.
 * @param place the folder in which the agent keeps its history, such as `~/.codex`
 */
export function transcriptRoot(
  agent: TranscriptAgent,
  place: string,
  options: TranscriptRootOptions = {},
): RootProvider {
  return { place, open: (context) => openTranscripts(agent, place, options, context) }
}

function openTranscripts(
  agent: TranscriptAgent,
  place: string,
  { fs = fileSystem, filesOnly = false, watch }: TranscriptRootOptions,
  context: RootContext,
): Root {
  const { indexFolder, indexRoot, cacheSize, logger, mayIndex, maxRecordBytes, maxStaleness, tell } = context
  const problems = new ProblemLog(tell)
  const index = new SqliteIndex({
    folder: indexFolder,
    root: indexFolder && indexRoot,
    cacheBytes: cacheSize,
    logger,
    mayBeMade: indexFolder === undefined ? undefined : mayIndex,
  })
  const clock = new DeviceClock(fs, indexFolder === undefined ? undefined : join(indexFolder, "clock"))
  const transcripts = new Transcripts(fs, place, agent, maxRecordBytes, clock, problems)
  const plain = new PlainLookup(transcripts)
  const rows = new TranscriptIndex(index, transcripts)
  const settled = new Settled(rows, maxStaleness, logger)
  const read = new TranscriptRecords(transcripts, plain)
  const scanned = new PlainCatalog(plain)
  const { source } = agent
  if (filesOnly) {
    const texts = new ScannedTexts(read, scanned, context.search)
    return {
      source,
      place,
      catalog: scanned,
      records: read,
      texts,
      upkeep: new ScannedUpkeep({ source, place }, read),
    }
  }
  const records = new TranscriptRecords(transcripts, new FallbackLookup(new IndexedLookup(settled), plain))
  const catalog = new FallbackCatalog(new TranscriptCatalog(settled), scanned)
  const texts = new TranscriptTexts(settled, records, catalog, context)
  const { answers } = catalog
  const upkeep = new TranscriptUpkeep({ source, settled, records, texts, answers })
  const begin = (tell: (change: StoreChange) => void): RootWatch => {
    const { TranscriptWatch }: typeof import("./transcript-watch.ts") = require("./transcript-watch.ts")
    return new TranscriptWatch({ index: rows, logger, watch, tell })
  }
  const versions = new TranscriptVersions(settled)
  return { source, place, catalog, records, texts, upkeep, watch: begin, versions }
}
