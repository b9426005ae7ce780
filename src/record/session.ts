import type { FileDiff, PermissionRule } from "./project.ts"

/** A session as opencode 0.5 to 1.1 wrote it. Unknown fields always survive. */
export interface Session {
  id: string
  version: string
  title: string
  time: { created: number; updated: number; compacting?: number; archived?: number }
  parentID?: string | null
  share?: { url: string }
  projectID?: string
  directory?: string
  slug?: string
  permission?: PermissionRule[]
  revert?: { messageID: string; partID?: string; snapshot?: string; diff?: string }
  summary?: { additions?: number; deletions?: number; files?: number; diffs?: FileDiff[] }
  [field: string]: unknown
}
