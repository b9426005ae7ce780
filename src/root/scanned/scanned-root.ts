import { ProblemLog } from "../problem-log.ts"
import type { RecordSource } from "../record-source.ts"
import type { Root, RootContext, RootProvider } from "../root.ts"
import { ScannedCatalog } from "./scanned-catalog.ts"

/** What a root is made of where records alone are given. */
export interface ScannedRootOptions {
  /** Which agent or program wrote the history. */
  readonly source: string
  /** Where it lies: an absolute path, or a URL without credentials. */
  readonly place: string
  /**
   * Gives the records.
   * @param problems to be told of each record that cannot be read; it tells each different problem once
   * @param context what the store was opened with
   */
  records(problems: ProblemLog, context: RootContext): RecordSource
  /** Closes what is open; called when the store is closed. */
  close?(): void
}

/**
 * A root made of a `RecordSource` alone, for `openStore({ roots })`: every question is answered by reading what it is about, so
 * nothing is kept that could be wrong, and listings of many sessions are slow. Replace parts of it to be faster.
 */
export function scannedRoot(options: ScannedRootOptions): RootProvider {
  return {
    place: options.place,
    open(context: RootContext): Root {
      // Most stores have no such root.
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
