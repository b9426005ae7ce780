import { type FileSystem, fileSystem } from "../../src/file/system.ts"

const CHANGING: ReadonlySet<string> = new Set([
  "createFile",
  "append",
  "flush",
  "flushDirectory",
  "rename",
  "link",
  "setModified",
  "removeFile",
  "makeDirectory",
  "removeEmptyDirectory",
  "touch",
  "readNames",
  "readDirectory",
])

/** The real file system with a step before and after each call that changes something, where a process may die. */
export function steppingFileSystem(step: () => void): FileSystem {
  const stepping = <T extends (...args: never[]) => unknown>(call: T): T =>
    ((...args: Parameters<T>) => {
      step()
      const result = call(...args)
      step()
      return result
    }) as T
  return Object.fromEntries(
    Object.entries(fileSystem).map(([call, run]) => [
      call,
      CHANGING.has(call) ? stepping(run.bind(fileSystem)) : run.bind(fileSystem),
    ]),
  ) as unknown as FileSystem
}
