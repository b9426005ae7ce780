import type { Indexing } from "./health.ts"
import { sourceName } from "./source-mark.tsx"

/** That something is being indexed, and how far that is; it goes away with it. */
export function IndexingView({ indexing: { source, kind, done, total } }: { indexing: Indexing }) {
  const what = `Indexing ${source === undefined ? "" : `${sourceName(source)} `}${kind}`
  const far = total === undefined ? "" : `${done.toLocaleString()} of ${total.toLocaleString()}`
  return (
    <div
      class="indexing"
      role="progressbar"
      aria-label={what}
      aria-valuetext={far || undefined}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={total === undefined ? undefined : done}
    >
      <span class={`bar ${total === undefined ? "unknown" : ""}`}>
        <span style={total === undefined ? undefined : { width: `${(100 * done) / total}%` }} />
      </span>
      <span class="indexing-says">
        {what}
        <span class="foot-end">{far}</span>
      </span>
    </div>
  )
}
