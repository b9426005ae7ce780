import { Dialog } from "./dialog.tsx"

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "search"],
  ["j  k", "next, previous message"],
  ["J  K", "next, previous prompt"],
  ["g  G", "first, last message"],
  ["o", "unfold or fold the message's tools and reasoning"],
  ["c", "copy the command that resumes the session"],
  ["[  ]", "newer, older session"],
  ["l", "to the list: arrows move, → and ← unfold, Enter opens"],
  ["h", "overview"],
  ["s", "sources: which histories are read, and what cannot be"],
  ["t", "light, dark, as the system"],
  ["?", "this help"],
  ["Esc", "close, leave the search, back to the list"],
]

/** What the keys do, and what a search understands. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys and searching" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div>
            <dt>
              {keys.split("  ").map((key) => (
                <kbd>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p>
        A search finds any part of a word, in titles, messages and what tools were given and answered. All
        words must occur; <code>"several words"</code> stand together; <code>-word</code> must not occur.
      </p>
      <form method="dialog" class="dialog-actions">
        <button type="submit" class="primary" autofocus>
          Close
        </button>
      </form>
    </Dialog>
  )
}
