import * as fs from "node:fs"
import { join } from "node:path"

/** In three parts of a store once `plantRareWord` has put it there, and in none. */
export const RARE = "xylophonequartz"
export const ABSENT = "qzjvxabsentword"

/** The files of all parts of a store, by message and name. */
export function partsOf(directory: string): string[] {
  return fs
    .readdirSync(join(directory, "part"))
    .sort()
    .flatMap((folder) =>
      fs.readdirSync(join(directory, "part", folder)).map((name) => join(directory, "part", folder, name)),
    )
}

/** What is searched of a part, for the most part of them. */
export function textOf(path: string): string {
  const part = JSON.parse(fs.readFileSync(path, "utf8"))
  return part.text ?? part.state?.output ?? ""
}

/** Puts a word that is nowhere else into three parts. */
export function plantRareWord(parts: readonly string[]): void {
  for (let i = 0; i < 3; i++) {
    const path = parts[Math.floor(((i + 0.5) * parts.length) / 3 / 4) * 4 + 1] ?? ""
    const part = JSON.parse(fs.readFileSync(path, "utf8"))
    if (!part.text?.includes(RARE))
      fs.writeFileSync(path, JSON.stringify({ ...part, text: `${part.text ?? ""} ${RARE}` }))
  }
}

/** The commonest word of more than four letters, and two of middling frequency. */
export function pickWords(texts: readonly string[]): { common: string; two: string } {
  const counts = new Map<string, number>()
  for (const text of texts)
    for (const word of text.match(/[a-z]{5,}/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word)
  return { common: sorted[0] ?? "", two: `${sorted[40] ?? ""} ${sorted[60] ?? ""}` }
}

/** What a row says of a word that is called so. */
export function sayWord(name: string): string {
  return name === "two" ? "two words" : `${name === "absent" ? "an" : "a"} ${name} word`
}
