import { readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

/** A login to look up in a password file. */
export interface Login {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

/**
 * Looks up the password for a login in PostgreSQL's password file, `PGPASSFILE` or `~/.pgpass`: the first line that matches counts. Like
 * libpq it ignores a file that others may read.
 */
export function passwordOf(
  login: Login,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const path = env.PGPASSFILE || join(env.HOME || homedir(), ".pgpass")
  const wanted = [login.host, String(login.port), login.database, login.user]
  for (const line of linesOf(path)) {
    if (line === "" || line.startsWith("#")) continue
    const fields = fieldsOf(line)
    if (fields.length === 5 && wanted.every((value, at) => fields[at] === "*" || fields[at] === value))
      return fields[4]
  }
  return undefined
}

function linesOf(path: string): string[] {
  try {
    if ((statSync(path).mode & 0o077) !== 0) return []
    return readFileSync(path, "utf8").split(/\r?\n/)
  } catch {
    // Without a file the password comes from elsewhere, or the server reports that it is missing.
    return []
  }
}

/** Splits a line at its colons into five fields. A backslash escapes a colon or a backslash; the last field may contain colons. */
function fieldsOf(line: string): string[] {
  const fields = [""]
  for (const [, escaped, letter] of line.matchAll(/\\([\s\S])|([\s\S])/g)) {
    if (letter === ":" && fields.length < 5) fields.push("")
    else fields.push((fields.pop() ?? "") + (escaped ?? letter ?? ""))
  }
  return fields
}
