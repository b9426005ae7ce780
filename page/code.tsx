import { useMemo, useState } from "preact/hooks"
import { short } from "./format.ts"
import { highlight } from "./highlight.ts"

/** What is shown of a long text at first, and how much more each time. */
const LINES = 40
const MORE = 2000
/** Lines without an end are cut too. */
const CHARACTERS = 40_000

/** Code or a program's output: coloured, scrolling sideways, cut where it is long. */
export function Code({
  text,
  language = "",
  lines = LINES,
  label,
  wrap = false,
}: {
  text: string
  language?: string
  lines?: number
  label?: string
  /** Breaks lines that are too long, as prose is. */
  wrap?: boolean
}) {
  const [most, setMost] = useState(lines)
  const { shown, hidden } = useMemo(() => cut(text, most), [text, most])
  const spans = useMemo(() => highlight(shown, language), [shown, language])
  return (
    <figure class={`code ${wrap ? "wrap" : ""}`}>
      {label !== undefined && <figcaption>{label}</figcaption>}
      <pre tabIndex={0}>
        <code>
          {spans.map(({ text, kind }) => (kind === undefined ? text : <span class={kind}>{text}</span>))}
        </code>
      </pre>
      {hidden > 0 && (
        <button type="button" class="more" onClick={() => setMost(most + MORE)}>
          Show {hidden > MORE ? `${short(MORE)} of ` : ""}
          {hidden.toLocaleString()} more line{hidden === 1 ? "" : "s"}
        </button>
      )}
    </figure>
  )
}

/** The first lines of a text, and how many there are behind. */
function cut(text: string, most: number): { shown: string; hidden: number } {
  let at = -1
  let count = 0
  const bound = CHARACTERS * Math.max(1, most / LINES)
  while (count < most) {
    const next = text.indexOf("\n", at + 1)
    if (next < 0) {
      at = text.length
      break
    }
    at = next
    count++
  }
  const end = Math.min(at, bound)
  if (end >= text.trimEnd().length) return { shown: text.trimEnd(), hidden: 0 }
  let hidden = 1
  for (let next = text.indexOf("\n", end + 1); next >= 0; next = text.indexOf("\n", next + 1)) hidden++
  return { shown: text.slice(0, end), hidden }
}
