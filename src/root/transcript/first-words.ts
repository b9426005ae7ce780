/** UTF-16 units of a title that is made of what a person said. */
const LONGEST = 100
/** Of a text of many megabytes its beginning is enough. */
const LOOKED_AT = 1_000

/** The first words of a text as a title, on one line; `undefined` where it has none. */
export function firstWords(text: string): string | undefined {
  const words = text.slice(0, LOOKED_AT).replaceAll(/\s+/g, " ").trim()
  if (words === "") return undefined
  if (words.length <= LONGEST) return words.toWellFormed()
  // A character of two units is not cut in the middle.
  return `${words.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, "")}…`.toWellFormed()
}
