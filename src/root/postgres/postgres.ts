import type { Root, RootProvider } from "../root.ts"
import type { PostgresOptions } from "./postgres-options.ts"

/**
 * What many machines have pushed to a PostgreSQL database, for `openStore({ roots })`: sessions, messages, parts, projects and todos in the
 * shapes of JSON files. A session of several machines is listed once and read whole from its newest copy, by `time.updated`. The database is
 * only read. It is connected to with the first question.
 *
 * A server that does not answer is reported as a problem, and the other roots answer without it; it is tried again in the background.
 * @param url such as `postgres://user@host/database`; the password may also be in `PGPASSWORD` or in the file that `PGPASSFILE` names
 * @throws TypeError if it is no such URL, or if histories would go to another machine unencrypted
 */
export function postgres(url: string, options: PostgresOptions = {}): RootProvider {
  const { addressOf }: typeof import("../../postgres/address.ts") = require("../../postgres/address.ts")
  const { place } = addressOf(url)
  return {
    place,
    open(context): Root {
      const { PostgresRoot }: typeof import("./postgres-root.ts") = require("./postgres-root.ts")
      return new PostgresRoot(url, options, context)
    },
  }
}
