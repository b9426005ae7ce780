import { StoreError } from "../errors.ts"
import { fieldsOf, type JsonObject, messageFields, partFields } from "../record/extract.ts"
import { idTime } from "../record/id.ts"
import { cleanText } from "../record/search-text.ts"
import type { Problem } from "../root/problem-log.ts"
import { type RecordSource, type Unseen, unseenError } from "../root/record-source.ts"
import type { Root } from "../root/root.ts"
import { TimeSlice } from "../time-slice.ts"
import type { Roots } from "./roots.ts"

/** The project of sessions for which no project is known. */
const NO_PROJECT = "global"
const NO_TITLE = "Recovered session"
/** The version of a recovered session: no message says which release wrote it. */
const NO_VERSION = "unknown"
/** The length of a title that is made from a person's words, in UTF-16 units. */
const TITLE_LENGTH = 100
/** The latest time that a `Date` can hold, ms since 1970; anything later is no time. */
const LAST_TIME = 8.64e15

/** What is known about a session whose own file is gone. */
interface Traces {
  created?: number
  updated?: number
  title?: string | undefined
  /** The directory that the model worked in and, below, the work tree of that directory. */
  cwd?: string | undefined
  worktree?: string | undefined
}

/**
 * Makes the body of a session whose own file is gone from what is left: its id from the folder of its messages, its times from them, its
 * title from the person's first words, its directory and project from where the model worked. `undefined` if it has no messages.
 * @param projectID the project it gets; by default the one with that work tree, or else `global`
 */
export async function recoverSession(
  roots: Roots,
  root: Root,
  id: string,
  projectID: string | undefined,
  signal?: AbortSignal,
): Promise<JsonObject | undefined> {
  const unlisted: Problem[] = []
  const messages = await root.records.ids("message", id, (problem) => unlisted.push(problem))
  const refusal = unlisted.find(({ code }) => code === "UNREADABLE")
  if (messages.length === 0 && refusal) throw new StoreError(refusal.code, refusal.message, refusal)
  if (messages.length === 0) return undefined
  const { title, cwd, worktree, created, updated } = await findTraces(root, id, signal)
  const begun = created ?? idTime(id) ?? Date.now()
  const project = projectID ?? (await projectOf(roots, [worktree, cwd])) ?? NO_PROJECT
  const directory = cwd ?? worktree
  return {
    id,
    version: NO_VERSION,
    projectID: project,
    ...(directory !== undefined && { directory }),
    title: title ?? NO_TITLE,
    time: { created: begun, updated: updated ?? begun },
  }
}

/**
 * The place of a session's own file, readable or not; `undefined` if there is none in any project.
 * @throws StoreError `UNREADABLE`, `EXHAUSTED`
 */
export async function sessionFile(roots: Roots, id: string): Promise<string | undefined> {
  for (const { records } of roots.all) {
    const unseen: Unseen[] = []
    const [folder] = await records.foldersOf("session", id, (place) => unseen.push(place))
    if (folder !== undefined) return records.locate(["session", folder, id])
    if (unseen[0]) throw unseenError(unseen[0])
  }
  return undefined
}

/** Goes through the messages, oldest first. Once everything else is known, only their times are looked at. */
async function findTraces({ records, catalog }: Root, id: string, signal?: AbortSignal): Promise<Traces> {
  const slice = new TimeSlice(signal)
  const traces: Traces = {}
  let last: string | undefined
  for await (const run of catalog.messages(id, "asc", { signal }))
    for (const { id: message, time } of run) {
      const turn = slice.pass()
      if (turn) await turn
      if (isTime(time)) {
        traces.created ??= time
        traces.updated = time
        last = message
      }
      if (traces.title !== undefined && traces.cwd !== undefined) continue
      const [body] = await records.read("message", id, [message])
      if (!body) continue
      const { cwd, root } = fieldsOf(body.path)
      traces.cwd ??= text(cwd)
      traces.worktree ??= text(root)
      if (messageFields(body).role === "user") traces.title ??= await firstWords(records, message)
    }
  // The last message may have ended long after it began.
  const [body] = last === undefined ? [] : await records.read("message", id, [last])
  const { completed } = fieldsOf(body?.time)
  if (isTime(completed)) traces.updated = Math.max(traces.updated ?? completed, completed)
  return traces
}

/** The first line of what a person said in a message, without what the agent added. */
async function firstWords(records: RecordSource, messageID: string): Promise<string | undefined> {
  for (const id of await records.ids("part", messageID)) {
    const [part] = await records.read("part", messageID, [id])
    if (!part || partFields(part).type !== "text" || part.synthetic === true || part.ignored === true)
      continue
    const [line] = cleanText(text(part.text) ?? "")
      .split(/[\r\n\u2028\u2029]+/u)
      .map((each) => each.replaceAll(/\s+/gu, " ").trim())
      .filter(Boolean)
    if (line !== undefined) return shortened(line)
  }
  return undefined
}

function shortened(line: string): string {
  if (line.length <= TITLE_LENGTH) return line.toWellFormed()
  let title = ""
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(
    line.slice(0, 2 * TITLE_LENGTH),
  )) {
    if (title.length + segment.length >= TITLE_LENGTH) break
    title += segment
  }
  return `${title.trimEnd()}…`.toWellFormed()
}

/** The first project with one of these work trees; the first work tree that has a project counts. */
async function projectOf(
  roots: Roots,
  worktrees: readonly (string | undefined)[],
): Promise<string | undefined> {
  const wanted = worktrees.filter((worktree) => worktree !== undefined)
  if (wanted.length === 0) return undefined
  const found = new Map<string, string>()
  for (const { records } of roots.all)
    for (const id of await records.plainIds("project")) {
      const worktree = text((await records.readPlain("project", id))?.worktree)
      if (worktree !== undefined && !found.has(worktree)) found.set(worktree, id)
    }
  return wanted.map((worktree) => found.get(worktree)).find((id) => id !== undefined)
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value > 0 && value <= LAST_TIME
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.toWellFormed() : undefined
}
