import { resolve } from "node:path"
import { Option } from "commander"

/** `--from`: which histories, by the names that `sources` tells; repeatable. */
export function fromOption(description: string): Option {
  return new Option("--from <name>", `${description}, as codex; repeatable`).argParser(
    (name: string, names: readonly string[] = []) => [...names, name],
  )
}

/** `--directory`: the folder that sessions ran in, as they say; one that begins with a dot is seen from here. */
export function directoryOption(): Option {
  return new Option("--directory <folder>", "only sessions that ran in this folder, as .").argParser(
    (folder) => (folder.startsWith(".") ? resolve(folder) : folder),
  )
}
