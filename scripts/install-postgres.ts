/** Makes sure that there is a PostgreSQL for the tests in test/postgres: installs Debian's where that is possible. */
import { findPostgres } from "../test/support/find-postgres.ts"

function run(...command: string[]): void {
  const { exitCode } = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" })
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}`)
}

if (findPostgres() === undefined) {
  const apt = Bun.which("apt-get")
  if (!apt || process.getuid?.() !== 0) {
    console.error(
      "There is no PostgreSQL, and it can be installed by itself only as root with apt-get.\n" +
        "Install it (Debian: apt-get install postgresql), or name its programs' folder in the variable POSTGRES_BIN.",
    )
    process.exit(1)
  }
  run(apt, "update", "-qq")
  run(apt, "install", "-y", "-qq", "--no-install-recommends", "postgresql")
}
const found = findPostgres()
if (found === undefined) throw new Error("PostgreSQL was installed, but is not where it is looked for")
console.log(`The PostgreSQL for the tests is in ${found}`)
