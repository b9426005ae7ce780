import { storable } from "./storable.ts"

/** Separates the texts of a message. */
export const TEXT_END = "\u0001"
/** How far the pieces of a long text overlap, in UTF-16 units. So only this much of a longer term is looked up. */
export const LONGEST_TERM = 256
/** The length of a piece, in UTF-16 units. */
const PIECE = 256 * 1024

const BEYOND = /[^\0-\x7f]/

/** What one row of `text` holds of a message. */
export interface TextPiece {
  readonly piece: number
  readonly whole: boolean
  readonly folded: string
  readonly grams: string[]
}

/**
 * Yields the rows of a message's texts, in order; none if it has no text.
 * @param folded its texts, folded by `record/fold.ts`
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
 * The grams of a folded text, each once: every one or two characters with at least one beyond ASCII. A text that contains a term has all
 * grams of the term.
 */
export function gramsOf(folded: string): string[] {
  // Most texts are plain ASCII.
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
