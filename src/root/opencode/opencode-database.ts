import { resolve } from "node:path"
import type { Root, RootProvider } from "../root.ts"
import { type DatabaseEnvironment, findDatabases } from "./find.ts"

/**
 * A database of opencode 1.2 and later (`opencode.db` in its data folder), for `openStore({ roots })`: sessions, messages, parts, projects
 * and todos in the shapes of its JSON files. It is only read: nothing is made beside it, no lock is held between questions, and opencode
 * may write meanwhile. A listing is the state of the database at one moment.
 *
 * A database that is damaged, encrypted, another program's, or locked for more than a second is reported as a problem, and the other roots
 * answer without it.
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
 * The databases of opencode's data folder: the one that `OPENCODE_DB` names, then `opencode.db`, then those of channels, by name.
 * @param env opencode's environment, such as `process.env`; by default none is used
 * @throws StoreError `UNREADABLE` if the folder cannot be listed
 */
export function opencodeDatabases(folder: string, env: DatabaseEnvironment = {}): RootProvider[] {
  return findDatabases(folder, env).map(opencodeDatabase)
}
