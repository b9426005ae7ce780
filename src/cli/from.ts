import { resolve } from "node:path"
import { Option } from "commander"
import { type Store, sourceNames } from "../index.ts"

/** `--from`: which histories, by the names that `sources` tells; repeatable. */
export function fromOption(description: string): Option {
  return new Option("--from <name>", `${description}, as codex; repeatable`).argParser(
    (name: string, names: readonly string[] = []) => [...names, name],
  )
}

/**
 * Refuses names that no history can have, which would quietly choose nothing, as `claude` for `claude-code`. A store of our own
 * is `json`, whether it is there yet or not. Machines may have pushed under any name, so a fleet is not asked about.
 * @throws TypeError that tells the names there are
 */
export function checkSources(store: Store, names: readonly string[]): void {
  const known = new Set<string>([...sourceNames(), "json", ...store.places().map(({ source }) => source)])
  const wrong = names.find((name) => !known.has(name))
  if (wrong !== undefined)
    throw new TypeError(
      `There is no history ${JSON.stringify(wrong)} for --from; names are ${[...known].join(", ")}`,
    )
}

/** `--directory`: the folder that sessions ran in, as they say; one that begins with a dot is seen from here. */
export function directoryOption(): Option {
  return new Option("--directory <folder>", "only sessions that ran in this folder, as .").argParser(
    (folder) => (folder.startsWith(".") ? resolve(folder) : folder),
  )
}
