import { readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

/** What a line of a password file is compared with. */
export interface Login {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

/**
 * The password that PostgreSQL's password file has for a login: of `PGPASSFILE`, or else `~/.pgpass`; that of the first line that fits.
 * As libpq does, it passes over a file that others may read.
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
    // Without one the password is elsewhere, or the server says that it is missing.
    return []
  }
}

/** The fields between colons; a backslash makes a colon or a backslash a letter. The last one may hold colons. */
function fieldsOf(line: string): string[] {
  const fields = [""]
  for (const [, escaped, letter] of line.matchAll(/\\([\s\S])|([\s\S])/g)) {
    if (letter === ":" && fields.length < 5) fields.push("")
    else fields.push((fields.pop() ?? "") + (escaped ?? letter ?? ""))
  }
  return fields
}
