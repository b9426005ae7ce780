import { join } from "node:path"
import { systemCode } from "../../errors.ts"
import { isForTheMoment } from "../../exhaustion.ts"
import type { FileSystem } from "../../file/system.ts"
import type { Problem } from "../problem-log.ts"

/**
 * Tells whether a folder's sessions were there since it was opened and are not any more, as on a disk that was unplugged: then it
 * must not pass for a folder without sessions.
 */
export class Reach {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #tell: (problem: Problem) => void
  /** The device of the folder of sessions while it was last there; none before that. */
  #device: bigint | undefined
  #isGone = false
  /** Why it could not be looked at last; none where it could. */
  #refusal: string | undefined

  constructor(fs: FileSystem, directory: string, tell: (problem: Problem) => void) {
    this.#fs = fs
    this.#directory = directory
    this.#tell = tell
  }

  /** As `Upkeep.outOfReach`. */
  isGone(): boolean {
    const wasGone = this.#isGone
    this.#isGone = !this.#sessionsThere() && this.#device !== undefined
    if (this.#isGone && !wasGone) this.#tell(this.absence())
    return this.#isGone
  }

  /** The problem that the folder is not there, or not any more, or cannot be looked at. */
  absence(): Problem {
    if (this.#refusal !== undefined)
      return {
        path: this.#directory,
        code: "UNREADABLE",
        message: `The folder's sessions cannot be looked at (${this.#refusal})`,
      }
    const message =
      this.#device === undefined
        ? "There is no such folder"
        : "The folder, or its sessions, are not there any more"
    return { path: this.#directory, code: "NOT_FOUND", message }
  }

  #sessionsThere(): boolean {
    const path = join(this.#directory, "session")
    this.#refusal = undefined
    try {
      const stat = this.#fs.stat(path)
      if (stat?.kind !== "directory") return false
      // Where a disk was mounted there is an empty folder, of another device.
      if (
        stat.device !== this.#device &&
        this.#device !== undefined &&
        this.#fs.readNames(path)?.length === 0
      )
        return false
      this.#device = stat.device
      return true
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      // Where nothing can be looked at just now it is as it was: reading it tells.
      if (isForTheMoment(error)) return !this.#isGone
      this.#refusal = systemCode(error)
      return false
    }
  }
}
