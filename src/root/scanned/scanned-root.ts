import { ProblemLog } from "../problem-log.ts"
import type { RecordSource } from "../record-source.ts"
import type { Root, RootContext, RootProvider } from "../root.ts"
import { ScannedCatalog } from "./scanned-catalog.ts"

/** What `scannedRoot` makes a root from. */
export interface ScannedRootOptions {
  /** Which agent or program wrote the history. */
  readonly source: string
  /** Where it lies: an absolute path, or a URL without credentials. */
  readonly place: string
  /**
   * Makes the source of records.
   * @param problems report each record that cannot be read to it; it passes each different problem on once
   * @param context what the store was opened with
   */
  records(problems: ProblemLog, context: RootContext): RecordSource
  /** Closes what is open. Called when the store is closed. */
  close?(): void
}

/**
 * A root made from a `RecordSource` alone, for `openStore({ roots })`. It answers every question by reading records, so nothing that it
 * keeps can be wrong, and listings of many sessions are slow. Replace parts of it to make them faster.
 */
export function scannedRoot(options: ScannedRootOptions): RootProvider {
  return {
    place: options.place,
    open(context: RootContext): Root {
      // Loaded here because most stores have no such root.
      const { ScannedTexts }: typeof import("./scanned-texts.ts") = require("./scanned-texts.ts")
      const { ScannedUpkeep }: typeof import("./scanned-upkeep.ts") = require("./scanned-upkeep.ts")
      const { source, place } = options
      const records = options.records(new ProblemLog(context.tell), context)
      const catalog = new ScannedCatalog(records)
      const texts = new ScannedTexts(records, catalog, context.search)
      const upkeep = new ScannedUpkeep(options, records)
      return { source, place, catalog, records, texts, upkeep }
    },
  }
}
