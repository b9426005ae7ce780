import { resolve } from "node:path"
import type { Root, RootProvider } from "../root.ts"

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
