import type { Root, RootProvider } from "../root.ts"
import type { PostgresOptions } from "./postgres-options.ts"

/**
 * What many machines have pushed to a PostgreSQL database, for `openStore({ roots })`: sessions, messages, parts, projects and todos in the
 * shapes of JSON files. A session of several machines is listed once, with its newest `time.updated`, and read whole from one of them.
 * It is only read. Nothing is connected before the first question.
 *
 * A server that does not answer is a problem with its place, and the other roots answer without it; it is tried again in the background.
 * @param url as `postgres://user@host/database`; a password may also be in `PGPASSWORD` or the file that `PGPASSFILE` names
 * @throws TypeError for what is no such URL, or would go in the clear to another machine
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
