import { ProblemLog } from "../problem-log.ts"
import type { Root, RootContext } from "../root.ts"
import { ScannedTexts } from "../scanned/scanned-texts.ts"
import { Access } from "./access.ts"
import { OpencodeCatalog } from "./opencode-catalog.ts"
import { OpencodeRecords } from "./opencode-records.ts"
import { OpencodeUpkeep } from "./opencode-upkeep.ts"
import { OpencodeReader } from "./reader.ts"

/** A database of opencode, read where it lies. */
export class OpencodeRoot implements Root {
  readonly source = "opencode"
  readonly place: string
  readonly catalog: OpencodeCatalog
  readonly records: OpencodeRecords
  readonly texts: ScannedTexts
  readonly upkeep: OpencodeUpkeep

  constructor(place: string, { maxRecordBytes, search, tell }: RootContext) {
    this.place = place
    const problems = new ProblemLog(tell)
    const reader = new OpencodeReader(place, {
      maxRecordBytes,
      onProblem: (problem) => problems.report(problem),
    })
    const access = new Access(reader.database, tell)
    this.catalog = new OpencodeCatalog(reader, access)
    this.records = new OpencodeRecords(reader, access)
    this.texts = new ScannedTexts(this.records, this.catalog, search)
    this.upkeep = new OpencodeUpkeep(place, reader, access, this.records)
  }
}
