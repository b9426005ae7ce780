import { sep } from "node:path"
import { fieldsOf } from "../record/extract.ts"
import { checkKey } from "../record/key.ts"
import { checkTime } from "../root/check.ts"

/** Which sessions are published. */
export interface PushChoice {
  /**
   * Only sessions of these projects: ids, or absolute folders, which mean the sessions that ran in them or below. Default: all.
   */
  project?: string | readonly string[] | undefined
  /** No sessions of these projects, named in the same way. */
  exclude?: string | readonly string[] | undefined
  /** Only sessions updated at that time or later, ms since 1970. */
  since?: number | undefined
}

/** A session that may be published. */
export interface Candidate {
  readonly project: string
  readonly updated: number
  /** The work tree it ran in, where it is known without reading the session. */
  readonly directory?: string | undefined
}

/** Tells which sessions a choice means. */
export interface Chooser {
  /** Whether the session's body must be read for it, since folders are named. */
  readonly needsDirectory: boolean
  isChosen(candidate: Candidate): boolean
}

/** @throws TypeError; StoreError `INVALID_KEY` for a project that cannot be one */
export function chooserOf({ project, exclude, since }: PushChoice): Chooser {
  const wanted = namesOf("project", project)
  const unwanted = namesOf("exclude", exclude)
  checkTime("since", since)
  return {
    needsDirectory: [...(wanted ?? []), ...(unwanted ?? [])].some(isFolder),
    isChosen: (candidate) =>
      (since === undefined || candidate.updated >= since) &&
      (wanted?.some((name) => isMeant(name, candidate)) ?? true) &&
      !unwanted?.some((name) => isMeant(name, candidate)),
  }
}

function namesOf(option: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  return names.map((name) => {
    if (typeof name !== "string" || name === "")
      throw new TypeError(`${option} must be a project's id or a folder, or an array of them`)
    if (isFolder(name)) return name
    checkKey([name])
    return name
  })
}

/** An id has no separator. */
function isFolder(name: string): boolean {
  return name.includes("/") || name.includes(sep)
}

function isMeant(name: string, { project, directory }: Candidate): boolean {
  if (!isFolder(name)) return name === project
  if (directory === undefined) return false
  const folder = name.replace(/[/\\]+$/, "")
  return directory === folder || directory.startsWith(`${folder}/`) || directory.startsWith(folder + sep)
}

/** The work tree that a session's body tells. */
export function directoryOf(body: unknown): string | undefined {
  const { directory } = fieldsOf(body)
  return typeof directory === "string" ? directory : undefined
}
