import { spawn } from "node:child_process"

/** A program that shows what is printed on the terminal, a screen at a time. */
export interface Pager {
  readonly input: NodeJS.WritableStream
  /** Resolves when the person has left it; what is printed comes to its end with that. */
  end(): Promise<void>
}

/**
 * Starts the pager that `PAGER` names, by default `less`, which ends by itself where everything fits on the screen. `undefined` where none is
 * wanted (`PAGER=`, `PAGER=cat`), or there is none.
 * @param onLeft called where the person leaves it before the end
 */
export function startPager(
  environment: Readonly<Record<string, string | undefined>>,
  onLeft: () => void,
): Pager | undefined {
  const command = (environment.PAGER ?? "less").trim()
  const [program = ""] = command.split(/\s/)
  if (program === "" || program === "cat" || Bun.which(program) === null) return undefined
  const child = spawn(command, {
    shell: true,
    stdio: ["pipe", "inherit", "inherit"],
    // It ends where all fits, shows colours, and leaves the screen as it is, unless the person has chosen otherwise.
    env: { ...environment, LESS: environment.LESS ?? "FRX" },
  })
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
  let isEnding = false
  const left = (): void => {
    if (!isEnding) void closed.then(onLeft)
  }
  child.once("close", left)
  // It is told by the pager's end, whichever comes first.
  child.stdin.on("error", left)
  // Ctrl-C is the pager's while it runs.
  const ignore = (): void => {}
  process.on("SIGINT", ignore)
  return {
    input: child.stdin,
    end: async () => {
      isEnding = true
      child.stdin.end()
      await closed
      process.off("SIGINT", ignore)
    },
  }
}
