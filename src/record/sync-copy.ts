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
  `^(.+?)(?:${[
    "\\.sync-conflict-\\d{8}-\\d{6}(?:-[A-Z0-9]{7})?",
    " \\((?:[^()]* )?conflicted copy(?: [^()]*(?:\\(\\d+\\))?)?\\)(?: \\(\\d+\\))?",
    "_conflict-\\d{8}-\\d{6}",
    " \\(SFConflict [^()]+\\)",
  ].join("|")})$`,
  "is",
)

/** An id of the agent's own making, or a project's: they have one length, so that whatever follows is no part of them. */
const MADE = /^(?:(?:ses|msg|prt)_[0-9a-f]{12}[0-9A-Za-z]{14}|[0-9a-f]{40})$/

/** What may well end an id that a person gave, and tells of a copy only behind one that was made: iCloud, Google Drive, OneDrive. */
const NUMBERED = /^(.+?)(?: \d{1,3}| \(\d{1,3}\)|-(?:DESKTOP|LAPTOP)-[A-Z0-9]{7,8}(?:-\d{1,3})?)$/s

/** All of the above hold one of these, and hardly any id does. */
const SUSPECT = /[ .]|_conflict-|-DESKTOP-|-LAPTOP-/i

/** Whether a file of that name, without `.json`, is a copy that a synchroniser left of a record that was changed in two places. */
export function isSyncCopy(name: string): boolean {
  return originalOf(name) !== undefined
}

/** The id of the record that such a file is a copy of, `undefined` where it is none. */
export function originalOf(name: string): string | undefined {
  // Nearly all are of the agent's own making, and that is told sooner.
  if (MADE.test(name) || !SUSPECT.test(name)) return undefined
  const base = MARKED.exec(name)?.[1] ?? NUMBERED.exec(name)?.[1]
  if (base === undefined) return undefined
  const original = originalOf(base)
  return original ?? (MARKED.test(name) || MADE.test(base) ? base : undefined)
}
