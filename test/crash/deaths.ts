import { expect } from "bun:test"
import { SHORT_LIVED } from "../support/bytecode.ts"
import type { Mortal, Told } from "./dying.ts"

/** What became of a piece of work. */
export interface Fate {
  readonly died: boolean
  /** How many steps it took, where it lived. */
  readonly steps: number | undefined
  readonly said: readonly unknown[]
}

/**
 * Has pieces of work die, in a process that calls `dieInEach`.
 * @param script the process's, which gets what `args` say and then the pieces as JSON
 */
export async function deathsOf(
  script: string,
  args: readonly string[],
  mortals: readonly Mortal[],
): Promise<Fate[]> {
  const child = Bun.spawn(["bun", script, ...args, JSON.stringify(mortals)], {
    env: SHORT_LIVED,
    stdout: "pipe",
    stderr: "inherit",
  })
  const text = await new Response(child.stdout).text()
  await child.exited
  // The guard: it really was killed.
  expect(child.signalCode).toBe("SIGKILL")
  const told = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Told)
  return mortals.map((_, at) => {
    const own = told.filter(({ of }) => of === at)
    return {
      died: own.some(({ died }) => died === true),
      steps: own.find(({ steps }) => steps !== undefined)?.steps,
      said: own.flatMap(({ said }) => (said === undefined ? [] : [said])),
    }
  })
}
