import { resolve } from "node:path"
import { fileSystem } from "../../file/system.ts"
import type { RootProvider } from "../root.ts"
import type { JsonOptions } from "./json-options.ts"
import { JsonRoot } from "./json-root.ts"

/** How to read a folder of JSON files beside a store. */
export type JsonFolderOptions = Partial<
  Pick<JsonOptions, "source" | "fields" | "layout" | "filesOnly" | "fs">
>

/** A folder of JSON files that is read beside a store and never written to. Its index lies in the store's index folder. */
export function jsonFolder(folder: string, options: JsonFolderOptions = {}): RootProvider {
  const directory = resolve(folder)
  return {
    place: directory,
    open: (context) => new JsonRoot({ fs: fileSystem, ...context, ...options, directory, readOnly: true }),
  }
}
