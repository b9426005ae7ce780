import { resolve } from "node:path"
import type { Root, RootProvider } from "../root.ts"
import { type DatabaseEnvironment, findDatabases } from "./find.ts"

/**
 * A database of opencode 1.2 and later (`opencode.db` in its data folder), for `openStore({ roots })`: sessions, messages, parts,
 * projects and todos in the shapes of its JSON files. It is only read: nothing is made beside it, no lock outlives a
 * question, and opencode may write meanwhile. A listing is the state the database was in at one moment.
 *
 * A database that is damaged, encrypted, another program's or locked for more than a second is a problem with its path, and the other
 * roots answer without it.
 */
export function opencodeDatabase(path: string): RootProvider {
  const place = resolve(path)
  return {
    place,
    open(context): Root {
      const { OpencodeRoot }: typeof import("./opencode-root.ts") = require("./opencode-root.ts")
      return new OpencodeRoot(place, context)
    },
  }
}

/**
 * The databases of opencode's data folder: the one that `OPENCODE_DB` names, `opencode.db`, then those of channels by name.
 * @param env opencode's environment, as `process.env`; by default nothing is taken from it
 * @throws StoreError `UNREADABLE` where the folder cannot be listed
 */
export function opencodeDatabases(folder: string, env: DatabaseEnvironment = {}): RootProvider[] {
  return findDatabases(folder, env).map(opencodeDatabase)
}
