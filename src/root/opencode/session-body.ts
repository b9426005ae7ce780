import type { JsonObject } from "../../record/extract.ts"
import { fieldsOf, isJsonObject } from "../../record/extract.ts"
import { present } from "../../record/present.ts"
import { ordered, parseColumn } from "./json-column.ts"
import type { Row } from "./view.ts"

/** A session's body, and the faults of its row. */
export interface SessionBody {
  readonly body: JsonObject
  /** One fault for each column whose JSON does not parse; that field is left out. */
  readonly faults: readonly string[]
}

const some = (value: unknown): unknown => value ?? undefined

/** Whether the row has a column at all, which older releases may lack. */
const has = (row: Row, column: string): boolean => column in row

/**
 * Makes a session's body from its row. The fields and their order are those of opencode's own server and export; NULL fields are left out.
 * Fields that only opencode 2 has go under `metadata`, and its times under `time`.
 */
export function sessionBody(row: Row): SessionBody {
  const faults: string[] = []
  const json = (column: string): unknown => {
    const parsed = parseColumn(row[column])
    if (!parsed) return undefined
    if ("value" in parsed) return parsed.value ?? undefined
    faults.push(`The column ${column} ${parsed.fault}`)
    return undefined
  }
  const body = present({
    id: row.id,
    slug: some(row.slug),
    projectID: some(row.project_id),
    workspaceID: some(row.workspace_id),
    directory: some(row.directory),
    path: some(row.path),
    parentID: row.parent_id || undefined,
    title: some(row.title),
    agent: some(row.agent),
    model: ordered(json("model"), ["id", "providerID", "variant"]),
    version: some(row.version),
    summary: summaryOf(row, json("summary_diffs")),
    cost: some(row.cost),
    tokens: tokensOf(row),
    share: row.share_url ? { url: row.share_url } : undefined,
    metadata: metadataOf(row, json("metadata")),
    revert: ordered(json("revert"), ["messageID", "partID", "snapshot", "diff"]),
    permission: json("permission"),
    time: present({
      created: some(row.time_created),
      updated: some(row.time_updated),
      compacting: some(row.time_compacting),
      archived: some(row.time_archived),
      idle: some(row.time_idle),
      viewed: some(row.time_viewed),
    }),
  })
  return { body, faults }
}

function summaryOf(row: Row, diffs: unknown): JsonObject | undefined {
  const { summary_additions: additions, summary_deletions: deletions, summary_files: files } = row
  if ([additions, deletions, files].every((count) => count === null || count === undefined)) return undefined
  return present({ additions: additions ?? 0, deletions: deletions ?? 0, files: files ?? 0, diffs })
}

function tokensOf(row: Row): JsonObject | undefined {
  if (!has(row, "tokens_input")) return undefined
  return {
    input: row.tokens_input,
    output: row.tokens_output,
    reasoning: row.tokens_reasoning,
    cache: { read: row.tokens_cache_read, write: row.tokens_cache_write },
  }
}

/** The agent's own metadata, with opencode 2's fields about a fork and the end of the last run. */
function metadataOf(row: Row, metadata: unknown): unknown {
  const later = present({
    forkSessionID: some(row.fork_session_id),
    forkBoundary: some(row.fork_boundary),
    idleOutcome: some(row.idle_outcome),
  })
  if (Object.keys(later).length === 0) return metadata
  return isJsonObject(metadata) || metadata === undefined ? { ...later, ...fieldsOf(metadata) } : metadata
}
