/** How the page names and draws each source; drawn by hand on a grid of 16, each of another shape, so that colours are not all there is. */
const SOURCES: Readonly<
  Record<string, { readonly name: string; readonly short: string; readonly path: string }>
> = {
  opencode: { name: "opencode", short: "opencode", path: "M3.5 2h9v12h-9zM6.5 6h3v5h-3z" },
  "claude-code": {
    name: "Claude Code",
    short: "Claude",
    path: "M8 1.5v13M1.5 8h13M3.4 3.4l9.2 9.2M12.6 3.4l-9.2 9.2",
  },
  codex: {
    name: "Codex",
    short: "Codex",
    path: "M8 1.3l5.8 3.35v6.7L8 14.7l-5.8-3.35v-6.7zM6 5.8L8.2 8 6 10.2M9 10.2h2",
  },
  "gemini-cli": {
    name: "Gemini CLI",
    short: "Gemini",
    path: "M8 1c.5 4.4 2.6 6.5 7 7-4.4.5-6.5 2.6-7 7-.5-4.4-2.6-6.5-7-7 4.4-.5 6.5-2.6 7-7z",
  },
  json: {
    name: "JSON files",
    short: "JSON",
    path: "M6.5 2C4 2 5.5 8 3 8c2.5 0 1 6 3.5 6M9.5 2C12 2 10.5 8 13 8c-2.5 0-1 6-3.5 6",
  },
}
/** A source that this page does not know. */
const OTHER = "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11z"

function known(source: string) {
  return Object.hasOwn(SOURCES, source) ? SOURCES[source] : undefined
}

/** The name of a source, as people write it. */
export function sourceName(source: string): string {
  return known(source)?.name ?? source
}

/** The same where there is little room. */
export function shortSourceName(source: string): string {
  return known(source)?.short ?? source
}

/** The class that gives a drawing the colour of a source. */
export function sourceTone(source: string): string {
  return `source-${known(source) ? source : "other"}`
}

/** The sign of a source. @param named whether it is all there is to tell the source, and so has its name */
export function SourceMark({ source, named = false }: { source: string; named?: boolean }) {
  const mark = (
    <svg class={`mark ${sourceTone(source)}`} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path d={known(source)?.path ?? OTHER} />
    </svg>
  )
  if (!named) return mark
  return (
    <span class="named-mark" title={sourceName(source)}>
      {mark}
      <span class="hidden">{sourceName(source)}</span>
    </span>
  )
}
