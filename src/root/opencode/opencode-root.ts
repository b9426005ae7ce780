import type { WatchFolder } from "../../file/folder-watches.ts"
import { ProblemLog } from "../problem-log.ts"
import type { Root, RootContext } from "../root.ts"
import { Access } from "./access.ts"
import { OpencodeCatalog } from "./opencode-catalog.ts"
import { OpencodeRecords } from "./opencode-records.ts"
import { OpencodeTexts } from "./opencode-texts.ts"
import { OpencodeUpkeep } from "./opencode-upkeep.ts"
import { OpencodeVersions } from "./opencode-versions.ts"
import { OpencodeReader } from "./reader.ts"

/** Larger records, in bytes, are not searched. */
const MAX_SEARCHED_BYTES = 16 * 1024 * 1024

export interface OpencodeRootOptions {
  /** Watches folders; for tests. */
  readonly watch?: WatchFolder | undefined
}

/** An opencode database, read in place. */
export class OpencodeRoot implements Root {
  readonly source = "opencode"
  readonly place: string
  readonly catalog: OpencodeCatalog
  readonly records: OpencodeRecords
  readonly texts: OpencodeTexts
  readonly upkeep: OpencodeUpkeep
  readonly versions: OpencodeVersions
  readonly watch: NonNullable<Root["watch"]>

  constructor(place: string, context: RootContext, options: OpencodeRootOptions = {}) {
    const { maxRecordBytes, tell } = context
    this.place = place
    const problems = new ProblemLog(tell)
    const reader = new OpencodeReader(place, {
      maxRecordBytes,
      onProblem: (problem) => problems.report(problem),
    })
    const access = new Access(reader.database, tell)
    this.catalog = new OpencodeCatalog(reader, access)
    this.records = new OpencodeRecords(reader, access)
    // A reader that reports no problems: reading a record otherwise than for a search reports them.
    const searched = new OpencodeReader(place, {
      maxRecordBytes: Math.min(maxRecordBytes, MAX_SEARCHED_BYTES),
    })
    this.texts = new OpencodeTexts(searched, access, this.catalog, this.records, context)
    this.watch = (tell) => {
      const { OpencodeWatch }: typeof import("./opencode-watch.ts") = require("./opencode-watch.ts")
      return new OpencodeWatch({ reader, access, logger: context.logger, watch: options.watch, tell })
    }
    this.versions = new OpencodeVersions(reader, access)
    this.upkeep = new OpencodeUpkeep({ place, reader, access, records: this.records, texts: this.texts })
  }
}
