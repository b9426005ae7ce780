/** What the page shows; it stands in the address's hash, so that every view can be linked to. */
export interface Route {
  readonly session?: string
  readonly message?: string
  readonly part?: string
  /** What to mark in the transcript. */
  readonly query?: string
  /** Only this project's sessions. */
  readonly project?: string
  /** Only sessions of this source, as `codex`. */
  readonly source?: string
  /** The overview alone, where a narrow window has room for one thing. */
  readonly overview?: true
  /** The places that are read. */
  readonly sources?: true
}

/** Reads a hash; what is not understood is the overview. Never throws. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2)
  const [kind, ...ids] = path.split("/").map(decoded)
  const parameters = new URLSearchParams(search)
  const [session, message, part] = kind === "session" ? ids : []
  const view = kind === "overview" || kind === "sources" ? { [kind]: true as const } : {}
  const fields = defined({
    session,
    message: session && message,
    part: session && message && part,
    query: session && parameters.get("q"),
    project: parameters.get("project"),
    source: parameters.get("source"),
  })
  return { ...fields, ...view }
}

/** The hash of a route. */
export function formatRoute({
  session,
  message,
  part,
  query,
  project,
  source,
  overview,
  sources,
}: Route): string {
  const ids = session === undefined ? [] : [session, message, part].filter((id) => id !== undefined)
  const view = overview ? ["overview"] : sources ? ["sources"] : []
  const path = ids.length > 0 ? ["session", ...ids.map(segment)] : view
  const parameters = new URLSearchParams(defined({ q: query, project, source }))
  return `#/${path.join("/")}${parameters.size > 0 ? `?${parameters}` : ""}`
}

/** An id as a step of a path: half a surrogate pair, which JSON can spell, has no place in an address. */
export function segment(id: string): string {
  return encodeURIComponent(id.toWellFormed())
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Leaves out what is missing or empty. */
function defined(fields: Record<string, string | null | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => Boolean(entry[1])),
  )
}
