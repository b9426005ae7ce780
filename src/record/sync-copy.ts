/** What is wrong with a file that a synchroniser left beside a record: it holds another version of it, and is none itself. */
export const SYNC_COPY = {
  code: "CONFLICT",
  message: "A synchroniser left another version of a record here",
} as const

/**
 * What synchronisers put behind a name, in forms that nobody gives an id: Syncthing, Dropbox with ownCloud and Nextcloud, ownCloud
 * before 2.5, Seafile.
 */
const MARKED = new RegExp(
  [
    "\\.sync-conflict-\\d{8}-\\d{6}(?:-[A-Z0-9]{7})?",
    " \\((?:[^()]* )?conflicted copy(?: [^()]*(?:\\(\\d+\\))?)?\\)(?: \\(\\d+\\))?",
    "_conflict-\\d{8}-\\d{6}",
    " \\(SFConflict [^()]+\\)",
  ]
    .map((form) => `.${form}$`)
    .join("|"),
  "is",
)

/** An id of the agent's own making, or a project's: they have one length, so that whatever follows is no part of them. */
const MADE = /^(?:(?:ses|msg|prt)_[0-9a-f]{12}[0-9A-Za-z]{14}|[0-9a-f]{40})$/

/** What may well end an id that a person gave, and tells of a copy only behind one that was made: iCloud, Google Drive, OneDrive. */
const NUMBERED = /^(.+?)(?: \d{1,3}| \(\d{1,3}\)|-(?:DESKTOP|LAPTOP)-[A-Z0-9]{7,8}(?:-\d{1,3})?)$/s

/** All of the above hold one of these, and hardly any id does. */
const SUSPECT = /[ .]|_conflict-|-DESKTOP-|-LAPTOP-/i

/** Whether a file of that name, without `.json`, is a copy that a synchroniser left of a record that was changed in two places. */
export function isSyncCopy(id: string): boolean {
  if (!SUSPECT.test(id)) return false
  if (MARKED.test(id)) return true
  const base = NUMBERED.exec(id)?.[1]
  return base !== undefined && (MADE.test(base) || isSyncCopy(base))
}
