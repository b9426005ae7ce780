/** A project: one work tree. Its id is the root commit of its repository, or "global". */
export interface Project {
  id: string
  worktree: string
  vcs?: string
  name?: string
  icon?: unknown
  commands?: unknown
  sandboxes?: string[]
  time: { created: number; updated?: number; initialized?: number }
  [field: string]: unknown
}

/** One entry of a session's todo file, which holds an array of them. */
export interface Todo {
  id?: string
  content: string
  status: string
  priority?: string
  [field: string]: unknown
}

/** The change of one file; a session diff file holds an array of them. */
export interface FileDiff {
  file: string
  before?: string
  after?: string
  additions: number
  deletions: number
  status?: string
  [field: string]: unknown
}

/** One rule of a permission file or of a session. */
export interface PermissionRule {
  permission: string
  pattern: string
  action: string
  [field: string]: unknown
}
