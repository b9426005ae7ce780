/**
 * The one way in which texts and queries are made comparable, before SQLite sees either: canonical composition, lower case,
 * no distinction of the final sigma. SQLite folds hundreds of letters otherwise than JavaScript does, so it is never asked to.
 *
 * Lower-casing a whole text depends on context for the sigma alone (Unicode's SpecialCasing.txt), so a part of a text folds to
 * a part of the folded text.
 */
export function fold(text: string): string {
  // Once more, since a capital may have no composed form where its small letter has one (J with a caron).
  return text.toWellFormed().normalize("NFC").toLowerCase().normalize("NFC").replaceAll("ς", "σ")
}
