/** Makes sure that there is a browser for the tests in test/browser: installs Debian's where that is possible. */
import { findBrowser } from "../test/browser/find.ts"

function run(...command: string[]): void {
  const { exitCode } = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" })
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}`)
}

if (findBrowser() === undefined) {
  const apt = Bun.which("apt-get")
  if (!apt || process.getuid?.() !== 0) {
    console.error(
      "There is no Chromium, and it can be installed by itself only as root with apt-get.\n" +
        "Install it (Debian: apt-get install chromium), or name one in the variable CHROMIUM.",
    )
    process.exit(1)
  }
  run(apt, "update", "-qq")
  run(apt, "install", "-y", "-qq", "--no-install-recommends", "chromium")
}
const found = findBrowser()
if (found === undefined) throw new Error("Chromium was installed, but is not where it is looked for")
console.log(`The browser for the tests is ${found}`)
