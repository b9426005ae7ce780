import { join } from "node:path"

/** `sessiondex serve` in a process of its own, over a store. */
export async function startServer(
  directory: string,
  ...flags: string[]
): Promise<{ url: string; stop(): Promise<void> }> {
  const main = join(import.meta.dir, "..", "..", "src", "cli", "main.ts")
  const child = Bun.spawn(["bun", main, "--dir", directory, "--json", "serve", "--port", "0", ...flags], {
    stdout: "pipe",
    stderr: "inherit",
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
