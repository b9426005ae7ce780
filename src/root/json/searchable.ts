import { ProblemLog } from "../problem-log.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** The texts of larger records are not searched, in bytes. */
const MAX_SEARCHED_BYTES = 16 * 1024 * 1024

/**
 * What is read to be searched. Larger records are too much to be folded and shown, and torn ones hold no text; whoever reads them
 * reports them. What the system refuses may hold what is looked for, so that is reported.
 */
export function searchable(files: RecordFiles): RecordFiles {
  const maxRecordBytes = Math.min(files.maxRecordBytes, MAX_SEARCHED_BYTES)
  const problems = new ProblemLog((problem) => {
    if (problem.code === "UNREADABLE") files.problems.report(problem)
  })
  return { ...files, maxRecordBytes, problems }
}
