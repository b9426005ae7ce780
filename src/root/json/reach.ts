import { join } from "node:path"
import { systemCode } from "../../errors.ts"
import { isForTheMoment } from "../../exhaustion.ts"
import type { FileSystem } from "../../file/system.ts"
import type { Problem } from "../problem-log.ts"

/**
 * Tells whether a folder's sessions were there since the store was opened and are gone now, as on a disk that was unplugged. Then the
 * folder must not count as one without sessions.
 */
export class Reach {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #tell: (problem: Problem) => void
  /** The device of the folder of sessions when it was last there; `undefined` before that. */
  #device: bigint | undefined
  #isGone = false
  /** Why it could not be looked at the last time; `undefined` if it could. */
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

  /** The problem to report: the folder is not there, not there any more, or cannot be looked at. */
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
      // The mount point of a disk that is gone is an empty folder on another device.
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
      // If nothing can be looked at just now, nothing has changed; reading will report it.
      if (isForTheMoment(error)) return !this.#isGone
      this.#refusal = systemCode(error)
      return false
    }
  }
}
