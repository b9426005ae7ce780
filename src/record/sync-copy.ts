/** The problem of a file that a synchroniser left beside a record. It holds another version of the record, and is no record itself. */
export const SYNC_COPY = {
  code: "CONFLICT",
  message: "A synchroniser left another version of a record here",
} as const

/**
 * Endings that synchronisers add to a name, and that no id has: Syncthing; Dropbox, ownCloud and Nextcloud; ownCloud before 2.5;
 * Seafile.
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

/** An id that the agent made, or a project's id. They have a fixed length, so what follows is no part of them. */
const MADE = /^(?:(?:ses|msg|prt)_[0-9a-f]{12}[0-9A-Za-z]{14}|[0-9a-f]{40})$/

/** Endings that an id given by a person may have too, so they mark a copy only behind a made id: iCloud, Google Drive, OneDrive. */
const NUMBERED = /^(.+?)(?: \d{1,3}| \(\d{1,3}\)|-(?:DESKTOP|LAPTOP)-[A-Z0-9]{7,8}(?:-\d{1,3})?)$/s

/** Every name that matches the above contains one of these, and hardly any id does. */
const SUSPECT = /[ .]|_conflict-|-DESKTOP-|-LAPTOP-/i

/** Whether a file name (without `.json`) is that of a copy that a synchroniser left of a record changed in two places. */
export function isSyncCopy(name: string): boolean {
  return originalOf(name) !== undefined
}

/** The id of the record that a synchroniser's copy is of, or `undefined` if the name is not that of a copy. */
export function originalOf(name: string): string | undefined {
  // Nearly all ids were made by the agent, and this test is the quicker one.
  if (MADE.test(name) || !SUSPECT.test(name)) return undefined
  const base = MARKED.exec(name)?.[1] ?? NUMBERED.exec(name)?.[1]
  if (base === undefined) return undefined
  const original = originalOf(base)
  return original ?? (MARKED.test(name) || MADE.test(base) ? base : undefined)
}
