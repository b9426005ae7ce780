import { Writable } from "node:stream"
import { Output } from "../../src/cli/output.ts"
import { run } from "../../src/cli/program.ts"
import type { Home } from "../../src/index.ts"

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process, which takes a tenth of the time of a process of its own. */
export function cliHere(directory: string, ...argv: string[]): Promise<Ran> {
  return runHere(false, directory, argv)
}

/** As `cliHere`, with a terminal that shows colours as standard output. */
export function cliOnTerminal(directory: string, ...argv: string[]): Promise<Ran> {
  return runHere(true, directory, argv)
}

/** As `cliHere`, in a home instead of over a store. */
export function cliIn(home: Home, ...argv: string[]): Promise<Ran> {
  return runHere(false, undefined, argv, home)
}

async function runHere(
  terminal: boolean,
  directory: string | undefined,
  argv: readonly string[],
  home?: Home,
): Promise<Ran> {
  const said = { out: "", err: "" }
  const stream = (name: "out" | "err", isTTY: boolean): Writable =>
    Object.assign(
      new Writable({
        decodeStrings: false,
        write(chunk, _, done) {
          said[name] += String(chunk)
          done()
        },
      }),
      { isTTY },
    )
  const code = await run(
    directory === undefined ? argv : ["--dir", directory, ...argv],
    new Output(stream("out", terminal), stream("err", false)),
    home,
  )
  return { code, ...said }
}

/** The lines of `--json`. */
export function lines(out: string): unknown[] {
  return out
    .split("\n")
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line))
}
