/** The longest title made of what a person said, in UTF-16 units. */
const LONGEST = 100
/** Only this much of a long text is looked at, in UTF-16 units. */
const LOOKED_AT = 1_000

/** The first words of a text as a title, on one line; `undefined` where it has none. */
export function firstWords(text: string): string | undefined {
  const words = text.slice(0, LOOKED_AT).replaceAll(/\s+/g, " ").trim()
  if (words === "") return undefined
  if (words.length <= LONGEST) return words.toWellFormed()
  // Do not cut a surrogate pair in two.
  return `${words.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, "")}…`.toWellFormed()
}
