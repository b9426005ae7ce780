import type { Database } from "bun:sqlite"
import { lstatSync, readdirSync, writeSync } from "node:fs"
import { dirname, join, sep } from "node:path"
import type { FileSystem } from "../../src/file/system.ts"
import { stepThroughSqlite } from "../support/sqlite-steps.ts"
import { steppingFileSystem } from "./stepping.ts"

/** What is thrown at whoever goes on after his death. */
class Dead extends Error {}

/** Work in one folder, which dies at its nth step, or lives where that is 0 or there are fewer. */
export interface Mortal {
  readonly directory: string
  readonly killAt: number
}

/** What is told of a piece of work, a line of JSON each. */
export interface Told {
  /** The number of the piece. */
  readonly of: number
  /** How many steps it took, where it lived. */
  readonly steps?: number
  /** Whether it died. */
  readonly died?: true
  /** What the work says of itself. */
  readonly said?: unknown
}

/**
 * Does some work in several folders, one after the other, each cut off at its nth step as a kill would cut it off: from there on it
 * changes nothing, neither a file nor a row, and lets go of nothing that it holds. When all are done this process is killed,
 * which frees what they held. So each folder is as a process leaves it that was killed there, and loading the modules once is enough
 * for many. A step is the moment before, or after, a call that changes a file and a statement that asks for no rows. Each folder's parent
 * is its work's own, and no work uses another's.
 */
export async function dieInEach(
  mortals: readonly Mortal[],
  work: (directory: string, fs: FileSystem, say: (said: unknown) => void) => Promise<unknown>,
): Promise<never> {
  const lives = mortals.map((mortal, of) => new Life(mortal, of))
  const of = ({ filename }: Database): Life | undefined => lives.find(({ home }) => filename.startsWith(home))
  // One that nobody refers to any more would be closed, which moves its WAL into it.
  const held = new Set<Database>()
  stepThroughSqlite({
    step: (database) => of(database)?.step(),
    use(database) {
      held.add(database)
      of(database)?.mustLive()
    },
    mayClose: (database) => of(database)?.isDead !== true,
  })
  // Those who are dead fail in many ways, and nobody waits for them.
  process.on("unhandledRejection", (error) => {
    if (!lives.some(({ isDead }) => isDead)) throw error
  })
  for (const life of lives) await life.live(work)
  for (const life of lives) life.mustBeAsItDied()
  process.kill(process.pid, "SIGKILL")
  return new Promise(() => {})
}

class Life {
  /** What the paths of all that is its own begin with. */
  readonly home: string
  readonly #directory: string
  readonly #killAt: number
  readonly #of: number
  readonly #end = Promise.withResolvers<void>()
  #steps = 0
  #left: string | undefined

  constructor({ directory, killAt }: Mortal, of: number) {
    this.home = dirname(directory) + sep
    this.#directory = directory
    this.#killAt = killAt
    this.#of = of
  }

  get isDead(): boolean {
    return this.#left !== undefined
  }

  mustLive(): void {
    if (this.isDead) throw new Dead("It is dead")
  }

  step(): void {
    this.mustLive()
    if (++this.#steps !== this.#killAt) return
    this.#left = looksOf(this.home)
    this.#end.resolve()
    this.mustLive()
  }

  async live(work: Parameters<typeof dieInEach>[1]): Promise<void> {
    const fs = Object.fromEntries(
      Object.entries(steppingFileSystem(() => this.step())).map(
        ([name, call]: [string, (...args: unknown[]) => unknown]) => [
          name,
          (...args: unknown[]) => {
            this.mustLive()
            return call(...args)
          },
        ],
      ),
    ) as unknown as FileSystem
    const say = (said: unknown): void => this.#tell({ of: this.#of, said })
    const lived = work(this.#directory, fs, say).catch((error: unknown) => {
      if (!this.isDead) throw error
    })
    await Promise.race([lived, this.#end.promise])
    this.#tell(this.isDead ? { of: this.#of, died: true } : { of: this.#of, steps: this.#steps })
  }

  /** The guard: nothing was done after its death. */
  mustBeAsItDied(): void {
    if (this.isDead && looksOf(this.home) !== this.#left)
      throw new Error(`${this.home} was changed after death at step ${this.#killAt}`)
  }

  #tell(told: Told): void {
    writeSync(1, `${JSON.stringify(told)}\n`)
  }
}

/** How everything below a folder looks: a change of anything shows in it. */
function looksOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((path) => {
      const { ino, size, mode, ctimeNs } = lstatSync(join(folder, path), { bigint: true })
      return `${path} ${ino} ${size} ${mode} ${ctimeNs}`
    })
    .join("\n")
}
