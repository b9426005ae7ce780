import { useState } from "preact/hooks"
import type { DiffLine, DiffView } from "./diff.ts"

const LINES = 60
const SIGNS: Readonly<Record<DiffLine["kind"], string>> = { added: "+", removed: "−", same: " ", hunk: "" }
const SAYS: Readonly<Record<DiffLine["kind"], string>> = {
  added: "added",
  removed: "removed",
  same: "",
  hunk: "",
}

/** A difference line by line, cut where it is long. */
export function Diff({ diff, label }: { diff: DiffView; label: string }) {
  const [most, setMost] = useState(LINES)
  const hidden = diff.lines.length - most
  return (
    <figure class="code diff">
      <figcaption>
        <span class="path">{label}</span> <Sums added={diff.added} removed={diff.removed} />
      </figcaption>
      <div class="scroll-x" tabIndex={0} role="region" aria-label={`Changes of ${label}`}>
        <table>
          <tbody>
            {diff.lines.slice(0, most).map((line) =>
              line.kind === "hunk" ? (
                <tr class="hunk">
                  <td colSpan={4}>{line.text}</td>
                </tr>
              ) : (
                <tr class={line.kind}>
                  <td class="number">{line.before}</td>
                  <td class="number">{line.after}</td>
                  <td class="sign">
                    <span aria-hidden="true">{SIGNS[line.kind]}</span>
                    <span class="hidden">{SAYS[line.kind]}</span>
                  </td>
                  <td class="line">{line.text || " "}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
      {hidden > 0 && (
        <button type="button" class="more" onClick={() => setMost(most + 2000)}>
          Show {hidden.toLocaleString()} more line{hidden === 1 ? "" : "s"}
        </button>
      )}
    </figure>
  )
}

/** How many lines came and went. */
export function Sums({ added, removed }: { added: number; removed: number }) {
  if (added === 0 && removed === 0) return null
  return (
    <span class="sums">
      <span class="added" title={`${added} lines added`}>
        +{added.toLocaleString()}
      </span>{" "}
      <span class="removed" title={`${removed} lines removed`}>
        −{removed.toLocaleString()}
      </span>
    </span>
  )
}
