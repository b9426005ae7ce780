import { fold } from "../src/record/fold.ts"
import { parseQuery } from "../src/record/search-query.ts"

const NAME = "found"
/** More marks than this in one window help nobody. */
const MOST = 500

/** Marks what was searched for in the text that is in sight, beside the elements and without changing them. */
export function markTerms(root: HTMLElement | null, query: string | undefined): void {
  if (!("highlights" in CSS)) return
  CSS.highlights.delete(NAME)
  if (!root || query === undefined) return
  const { wanted } = parseQuery(query)
  if (wanted.length === 0) return
  const ranges: Range[] = []
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node && ranges.length < MOST; node = walker.nextNode()) {
    const text = node.nodeValue ?? ""
    const folded = fold(text)
    // Folding seldom changes the length; where it does, only the case is ignored.
    const searched = folded.length === text.length ? folded : text.toLowerCase()
    if (searched.length !== text.length) continue
    for (const term of wanted)
      for (let at = searched.indexOf(term); at >= 0; at = searched.indexOf(term, at + term.length)) {
        const range = new Range()
        range.setStart(node, at)
        range.setEnd(node, at + term.length)
        ranges.push(range)
      }
  }
  if (ranges.length > 0) CSS.highlights.set(NAME, new Highlight(...ranges))
}
