import { customType, sqliteTable } from "drizzle-orm/sqlite-core"

/** A value as SQLite gives it. Nothing in another program's database can be trusted until it is checked. */
const any = customType<{ data: unknown; driverData: unknown }>({ dataType: () => "any" })

/** All columns of a session in any release of 1.x, except secret ones. */
const SESSION = {
  id: any(),
  project_id: any(),
  workspace_id: any(),
  parent_id: any(),
  slug: any(),
  directory: any(),
  path: any(),
  title: any(),
  version: any(),
  share_url: any(),
  summary_additions: any(),
  summary_deletions: any(),
  summary_files: any(),
  summary_diffs: any(),
  metadata: any(),
  cost: any(),
  tokens_input: any(),
  tokens_output: any(),
  tokens_reasoning: any(),
  tokens_cache_read: any(),
  tokens_cache_write: any(),
  revert: any(),
  permission: any(),
  agent: any(),
  model: any(),
  time_created: any(),
  time_updated: any(),
  time_compacting: any(),
  time_archived: any(),
}

export const session = sqliteTable("session", SESSION)

/** Sessions of opencode 2. */
export const sessionV2 = sqliteTable("session_v2", {
  ...SESSION,
  fork_session_id: any(),
  fork_boundary: any(),
  time_idle: any(),
  time_viewed: any(),
  idle_outcome: any(),
})

export const message = sqliteTable("message", {
  id: any(),
  session_id: any(),
  time_created: any(),
  time_updated: any(),
  data: any(),
})

export const part = sqliteTable("part", {
  id: any(),
  message_id: any(),
  session_id: any(),
  time_created: any(),
  time_updated: any(),
  data: any(),
})

/** Messages of opencode 2, which contain their parts. In releases of 1.x the table exists and is empty. */
export const sessionMessage = sqliteTable("session_message", {
  id: any(),
  session_id: any(),
  type: any(),
  seq: any(),
  time_created: any(),
  time_updated: any(),
  data: any(),
})

export const project = sqliteTable("project", {
  id: any(),
  worktree: any(),
  vcs: any(),
  name: any(),
  icon_url: any(),
  icon_url_override: any(),
  icon_color: any(),
  time_created: any(),
  time_updated: any(),
  time_initialized: any(),
  sandboxes: any(),
  commands: any(),
})

export const todo = sqliteTable("todo", {
  session_id: any(),
  content: any(),
  status: any(),
  priority: any(),
  position: any(),
})

/** For each session a number that rises with every change. Only newer releases have it. */
export const eventSequence = sqliteTable("event_sequence", { aggregate_id: any(), seq: any() })

/** Every table that is ever read. `account`, `control_account`, `credential` and `session_share` are not among them. */
export const TABLES = { session, sessionV2, message, part, sessionMessage, project, todo, eventSequence }
export type TableName = keyof typeof TABLES
