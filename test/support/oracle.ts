import * as fs from "node:fs"
import { join } from "node:path"

/** What a fresh look at the files says: the plainest code that can tell, sharing nothing with the store's. */
export interface Truth {
  /** `project/id` of every readable session, newest `time.updated` first; no id twice. */
  readonly sessions: readonly string[]
  /** The same in the order of creation, oldest first. */
  readonly byCreation: readonly string[]
  /** Ids of the sessions of each project in the default order. */
  readonly projects: Readonly<Record<string, readonly string[]>>
  readonly roots: number
  /** How many of the listed sessions have a title with "pars" in it. */
  readonly parsers: number
  /** Readable messages of each session, newest first, with their text. */
  readonly messages: Readonly<Record<string, readonly string[]>>
  /** Message files of each session, readable or not. */
  readonly counts: Readonly<Record<string, number>>
}

interface Found {
  readonly id: string
  readonly project: string
  readonly created: number
  readonly updated: number
  readonly parent: unknown
  readonly title: string
}

interface Titled {
  readonly id: string
  readonly project: string
  readonly title: string
}

/** What can be found, in the order in which it is: titles of sessions, newest `time.updated` first, texts of messages, newest first. */
export interface Searchable {
  readonly titles: readonly Titled[]
  /** The same with all copies of sessions that lie in several projects. */
  readonly all: readonly Titled[]
  readonly texts: readonly {
    readonly session: string
    readonly id: string
    readonly texts: readonly string[]
  }[]
}

function names(folder: string, wanted: "file" | "folder"): string[] {
  try {
    if (!fs.lstatSync(folder).isDirectory()) return []
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .filter((entry) =>
        wanted === "file" ? entry.isFile() && entry.name.endsWith(".json") : entry.isDirectory(),
      )
      .filter(({ name }) => !name.startsWith("."))
      .map(({ name }) => (wanted === "file" ? name.slice(0, -5) : name))
  } catch {
    return []
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the oracle looks at bodies as they are
function body(path: string): any {
  try {
    const value = JSON.parse(fs.readFileSync(path, "utf8"))
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function text(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const newestFirst = (a: Found, b: Found): number => b.updated - a.updated || text(b.id, a.id)

/** All readable sessions, and of copies in several projects the one that is listed. */
function sessionsIn(directory: string): { found: Found[]; listed: Found[] } {
  const found: Found[] = []
  for (const project of names(join(directory, "session"), "folder"))
    for (const id of names(join(directory, "session", project), "file")) {
      const value = body(join(directory, "session", project, `${id}.json`))
      if (!value) continue
      const created = value.time?.created ?? 0
      found.push({
        id,
        project,
        created,
        updated: value.time?.updated ?? created,
        parent: value.parentID ?? null,
        title: typeof value.title === "string" ? value.title : "",
      })
    }
  const copies = (a: Found): Found[] => found.filter(({ id }) => id === a.id)
  const winner = (a: Found): Found =>
    copies(a).sort((x, y) => y.updated - x.updated || text(y.project, x.project))[0] ?? a
  return { found, listed: found.filter((session) => winner(session) === session) }
}

/** What searches have to find: a plain look at every title and at every text of every message. */
export function lookAtTexts(directory: string): Searchable {
  const { found, listed } = sessionsIn(directory)
  const messages: { session: string; id: string; created: number; texts: string[] }[] = []
  for (const session of names(join(directory, "message"), "folder"))
    for (const id of names(join(directory, "message", session), "file")) {
      const value = body(join(directory, "message", session, `${id}.json`))
      if (!value) continue
      const folder = join(directory, "part", id)
      const texts = names(folder, "file").flatMap((part) => body(join(folder, `${part}.json`))?.text ?? [])
      messages.push({ session, id, created: value.time?.created ?? 0, texts })
    }
  return {
    titles: listed.toSorted(newestFirst),
    all: found.toSorted(newestFirst),
    texts: messages.sort((a, b) => b.created - a.created || text(b.id, a.id) || text(b.session, a.session)),
  }
}

export function lookAt(
  directory: string,
  sessionFolders: readonly string[],
  projectFolders: readonly string[],
): Truth {
  const { found, listed } = sessionsIn(directory)
  const messages: Record<string, string[]> = {}
  const counts: Record<string, number> = {}
  for (const session of sessionFolders) {
    const folder = join(directory, "message", session)
    const ids = names(folder, "file")
    counts[session] = ids.length
    messages[session] = ids
      .flatMap((id) => {
        const value = body(join(folder, `${id}.json`))
        return value ? [{ id, created: value.time?.created ?? 0, text: String(value.text) }] : []
      })
      .sort((a, b) => b.created - a.created || text(b.id, a.id))
      .map(({ id, text }) => `${id} ${text}`)
  }
  return {
    sessions: listed.toSorted(newestFirst).map(({ id, project }) => `${project}/${id}`),
    byCreation: listed
      .toSorted((a, b) => a.created - b.created || text(a.id, b.id))
      .map(({ id, project }) => `${project}/${id}`),
    projects: Object.fromEntries(
      projectFolders.map((project) => [
        project,
        found
          .filter((session) => session.project === project)
          .sort(newestFirst)
          .map(({ id }) => id),
      ]),
    ),
    roots: listed.filter(({ parent }) => parent === null).length,
    parsers: listed.filter(({ title }) => title.toLowerCase().includes("pars")).length,
    messages,
    counts,
  }
}
