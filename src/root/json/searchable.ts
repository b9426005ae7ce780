import { ProblemLog } from "../problem-log.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** Larger records, in bytes, are not searched. */
const MAX_SEARCHED_BYTES = 16 * 1024 * 1024

/**
 * A view of the files for searching. Very large records are too much to fold and show, and torn ones have no text; reading them otherwise
 * reports them, a search does not. But what the system refuses to read may hold a match, so that is reported.
 */
export function searchable(files: RecordFiles): RecordFiles {
  const maxRecordBytes = Math.min(files.maxRecordBytes, MAX_SEARCHED_BYTES)
  const problems = new ProblemLog((problem) => {
    if (problem.code === "UNREADABLE") files.problems.report(problem)
  })
  return { ...files, maxRecordBytes, problems }
}
