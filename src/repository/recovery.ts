import { StoreError } from "../errors.ts"
import { fieldsOf, type JsonObject, messageFields, partFields } from "../record/extract.ts"
import { idTime } from "../record/id.ts"
import { cleanText } from "../record/search-text.ts"
import type { Problem } from "../root/problem-log.ts"
import { type RecordSource, type Unseen, unseenError } from "../root/record-source.ts"
import type { Root } from "../root/root.ts"
import { TimeSlice } from "../time-slice.ts"
import type { Roots } from "./roots.ts"

/** Where sessions belong that no project's work tree is known of. */
const NO_PROJECT = "global"
const NO_TITLE = "Recovered session"
/** Which release wrote it is in no message. */
const NO_VERSION = "unknown"
/** Of a title made of somebody's words, in UTF-16 units. */
const TITLE_LENGTH = 100
/** The last moment that a date can be, ms since 1970: what lies beyond is no time. */
const LAST_TIME = 8.64e15

/** What is known of a session whose own file is gone. */
interface Traces {
  created?: number
  updated?: number
  title?: string | undefined
  /** Where the model worked: its directory, and the work tree that is in. */
  cwd?: string | undefined
  worktree?: string | undefined
}

/**
 * The body of a session whose own file is gone, made of what is left: its id from the folder of its messages, its times from them,
 * its title from the person's first words, its directory and project from where the model worked. `undefined` where it has no
 * messages.
 * @param projectID the project it is to belong to, in place of the one whose work tree that was, or `global`
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
 * The file of a session, be it one that can be read or not; `undefined` where there is none in any project. What cannot be looked at
 * may hold one.
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

/** Goes through the messages, oldest first; once all else is known only their times are looked at. */
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
  // The last one may have taken a while.
  const [body] = last === undefined ? [] : await records.read("message", id, [last])
  const { completed } = fieldsOf(body?.time)
  if (isTime(completed)) traces.updated = Math.max(traces.updated ?? completed, completed)
  return traces
}

/** The first line of what a person said in a message; nothing of what was put in by the agent. */
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

/** The first project that has one of these for its work tree, those looked for first. */
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
