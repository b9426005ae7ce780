import { ProblemLog } from "../problem-log.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** The texts of larger records are not searched, in bytes. */
const MAX_SEARCHED_BYTES = 16 * 1024 * 1024

/** What is read to be searched. Larger records are too much to be folded and shown; they are reported by whoever reads them. */
export function searchable(files: RecordFiles): RecordFiles {
  const maxRecordBytes = Math.min(files.maxRecordBytes, MAX_SEARCHED_BYTES)
  return { ...files, maxRecordBytes, problems: new ProblemLog(() => {}) }
}
