import { storable } from "./storable.ts"

/** Between the texts of a message: no text that was cleaned for searching is cut by it into what was not there. */
export const TEXT_END = "\u0001"
/** Terms are looked for by no more than so many of their first letters: how far the pieces of a long text overlap. */
export const LONGEST_TERM = 256
/** Of a piece, in UTF-16 units. */
const PIECE = 256 * 1024

const BEYOND = /[^\0-\x7f]/

/** What of a message stands in one row of `text`. */
export interface TextPiece {
  readonly piece: number
  readonly whole: boolean
  readonly folded: string
  readonly grams: string[]
}

/**
 * The rows of a message's texts, in order; none where it has no text.
 * @param folded its texts as `record/fold.ts` gives them
 */
export function* textPieces(folded: readonly string[]): Generator<TextPiece> {
  const all = folded.map(storable).join(TEXT_END)
  if (all === "") return
  const whole = all.length <= PIECE
  for (let start = 0, piece = 0; start < all.length; piece++) {
    const end = Math.min(all.length, start + PIECE)
    const text = all.slice(start, end).toWellFormed()
    yield { piece, whole, folded: text, grams: gramsOf(text) }
    if (end === all.length) return
    start = end - LONGEST_TERM
  }
}

/**
 * The one and two characters with at least one beyond ASCII that stand in a folded text, each once. A text that holds a term holds the
 * term's grams.
 */
export function gramsOf(folded: string): string[] {
  // Most texts have none.
  if (!BEYOND.test(folded)) return []
  const grams = new Set<string>()
  let before = ""
  for (const character of folded) {
    const beyond = isBeyond(character)
    if (beyond) grams.add(character)
    if (before !== "" && (beyond || isBeyond(before))) grams.add(before + character)
    before = character
  }
  return [...grams]
}

function isBeyond(character: string): boolean {
  return character > "\x7f"
}
