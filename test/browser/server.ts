import { join } from "node:path"

/** Variables that say where histories lie. */
const PLACES = [
  "XDG_DATA_HOME",
  "OPENCODE_DB",
  "CLAUDE_CONFIG_DIR",
  "CODEX_HOME",
  "GEMINI_CLI_HOME",
  "SESSIONDEX_DIR",
]

/** `sessiondex serve` in a process of its own, over a store, or over all histories of a home. */
export async function startServer(
  where: string | { readonly home: string },
  ...flags: string[]
): Promise<{ url: string; stop(): Promise<void> }> {
  const main = join(import.meta.dir, "..", "..", "src", "cli", "main.ts")
  const named = typeof where === "string" ? ["--dir", where] : []
  const environment = typeof where === "string" ? {} : { HOME: where.home, USERPROFILE: where.home }
  const elsewhere = Object.fromEntries(PLACES.map((name) => [name, undefined]))
  const child = Bun.spawn(["bun", main, ...named, "--json", "serve", "--port", "0", ...flags], {
    stdout: "pipe",
    stderr: "inherit",
    env: { ...process.env, ...elsewhere, ...environment },
  })
  const reader = child.stdout.getReader()
  let said = ""
  while (!said.includes("\n")) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`sessiondex serve ended with ${await child.exited}`)
    said += new TextDecoder().decode(value)
  }
  reader.releaseLock()
  const { url }: { url: string } = JSON.parse(said)
  return {
    url,
    async stop() {
      child.kill("SIGINT")
      if ((await child.exited) !== 0) throw new Error(`sessiondex serve ended with ${child.exitCode}`)
    },
  }
}
