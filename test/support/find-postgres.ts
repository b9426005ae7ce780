import { existsSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"

const DEBIAN = "/usr/lib/postgresql"

/** The folder of PostgreSQL's programs on this machine, if it has them; the variable `POSTGRES_BIN` names another. */
export function findPostgres(): string | undefined {
  const named = Bun.env.POSTGRES_BIN
  if (named !== undefined) {
    if (!existsSync(join(named, "initdb")))
      throw new Error(`POSTGRES_BIN names ${named}, which has no initdb`)
    return named
  }
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number).filter(Number.isInteger) : []
  const newest = versions
    .sort((a, b) => b - a)
    .map((version) => join(DEBIAN, String(version), "bin"))
    .find((bin) => existsSync(join(bin, "initdb")))
  const found = Bun.which("initdb")
  return newest ?? (found ? dirname(found) : undefined)
}
