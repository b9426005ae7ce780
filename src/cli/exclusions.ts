import type { Command } from "commander"

/** A run that excludes a word and is no option, nor a value joined to one. */
const EXCLUSION = /^-(?!-|[dhV]$|d[=/.~])./su

/** Puts the `-words` of a `search` behind `--`, where they are not taken for options; other command lines stay as they are. */
export function escapeExclusions(program: Command, argv: readonly string[]): string[] {
  const command = program.commands.find((each) => each.name() === "search")
  const options = [...program.options, ...(command?.options ?? [])]
  const words: string[] = []
  const others: string[] = []
  let isSearch = false
  for (let at = 0; at < argv.length; at++) {
    const text = argv[at] ?? ""
    if (text === "--") return [...others, "--", ...words, ...argv.slice(at + 1)]
    const option = options.find(({ short, long }) => text === short || text === long)
    if (option?.required) others.push(text, ...argv.slice(++at, at + 1))
    else if (isSearch && !option && EXCLUSION.test(text)) words.push(text)
    else {
      others.push(text)
      // The first run that is no option names the command.
      if (!isSearch && !text.startsWith("-") && text !== "search") return [...argv]
      isSearch ||= text === "search"
    }
  }
  return words.length > 0 ? [...others, "--", ...words] : others
}
