import { readdirSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { type FileSystem, fileSystem } from "../../src/file/system.ts"

const OF_TWO_PATHS: ReadonlySet<string> = new Set(["rename", "link"])
const OF_A_DESCRIPTOR: ReadonlySet<string> = new Set([
  "fstat",
  "readOpen",
  "append",
  "flush",
  "flushSync",
  "setMode",
  "setOwner",
  "close",
])

/** The real file system, in which paths lead to where `resolve` says. */
export function aliasedFileSystem(resolve: (path: string) => string): FileSystem {
  return Object.fromEntries(
    Object.entries(fileSystem).map(([name, call]: [string, (...args: unknown[]) => unknown]) => {
      const run = call.bind(fileSystem)
      if (OF_A_DESCRIPTOR.has(name)) return [name, run]
      const paths = OF_TWO_PATHS.has(name) ? 2 : 1
      return [
        name,
        (...args: unknown[]) => run(...args.map((arg, at) => (at < paths ? resolve(String(arg)) : arg))),
      ]
    }),
  ) as unknown as FileSystem
}

/** The real file system, as if two folders were one: the second, which is there and empty, leads to the first. */
export function oneFolderFileSystem(first: string, second: string): FileSystem {
  return aliasedFileSystem((path) =>
    path === second || path.startsWith(second + sep) ? first + path.slice(second.length) : path,
  )
}

/** The real file system, as if below a folder it took names that differ by case or Unicode form for one, as APFS does. */
export function foldingFileSystem(directory: string): FileSystem {
  const fold = (name: string): string => name.normalize("NFC").toLowerCase()
  return aliasedFileSystem((path) => {
    const below = relative(directory, path)
    if (below === "" || below.startsWith("..")) return path
    let at = directory
    for (const name of below.split(sep))
      at = join(at, namesIn(at).find((other) => fold(other) === fold(name)) ?? name)
    return at
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
