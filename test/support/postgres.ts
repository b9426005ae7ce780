import { afterAll, beforeAll, describe, test } from "bun:test"
import { tmpdir } from "node:os"
import { findPostgres } from "./find-postgres.ts"
import { PostgresServer } from "./postgres-server.ts"

export { PostgresServer } from "./postgres-server.ts"

const bin = findPostgres()
const PATIENCE_MS = 30_000
/** What makes the server's processes cost less, of which each connection has one; no answer is another by them. */
const LIGHT = ["shared_buffers=16MB", "jit=off", "autovacuum=off", "max_parallel_workers_per_gather=0"]

/**
 * Tests that need PostgreSQL: one server for all of them, in a folder of its own. Where there is none they say that they did not run; with
 * `SESSIONDEX_TEST_POSTGRES=required`, as in CI, that is a failure.
 */
export function describePostgres(name: string, tests: (server: PostgresServer) => void): void {
  if (bin === undefined) {
    const why = `${name}: did not run, since there is no PostgreSQL here (Debian: postgresql; or POSTGRES_BIN)`
    if (Bun.env.SESSIONDEX_TEST_POSTGRES === "required")
      test(name, () => {
        throw new Error(why)
      })
    else console.warn(why)
    return
  }
  const programs = bin
  describe(name, () => {
    const server = new PostgresServer(programs, tmpdir(), LIGHT)
    beforeAll(() => server.start(), PATIENCE_MS)
    afterAll(() => server.remove(), PATIENCE_MS)
    tests(server)
  })
}
