/**
 * Folds a text or a query so that the two can be compared: canonical composition, lower case, and the final sigma as any other
 * sigma. Both are folded before SQLite sees them, because SQLite folds hundreds of letters differently from JavaScript.
 *
 * In lower-casing only the sigma depends on its context (Unicode's SpecialCasing.txt). So a part of a text folds to a part of
 * the folded text.
 */
export function fold(text: string): string {
  // Composed twice: a small letter may have a composed form where its capital has none (J with a caron).
  return text.toWellFormed().normalize("NFC").toLowerCase().normalize("NFC").replaceAll("ς", "σ")
}
