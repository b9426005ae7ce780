import { relative, sep } from "node:path"
import type { RecordProblem } from "../../database/record-statements.ts"
import { untilAdmitted } from "../../exhaustion.ts"
import { placePath, recordPath } from "../../file/layout.ts"
import { patiently } from "../../migrator/patiently.ts"
import { type Reconciler, reconcile } from "../../migrator/reconcile.ts"
import { COLLECTION_KINDS, type Place } from "../../record/kind.ts"
import { TimeSlice } from "../../time-slice.ts"
import type { ProblemLog } from "../problem-log.ts"
import type { UnreadableRecord } from "../walk-result.ts"

/**
 * The folders that the last walk could not look into, and those with messages that it could not read. The index cannot find what is in
 * them, so each search tries them again and reports those that are still refused. Unreadable sessions and parts need no such care, since
 * listings and searches look at those files themselves.
 */
export class RefusedFolders {
  readonly #within: Reconciler
  readonly #problems: ProblemLog
  #places: readonly Place[] = []

  constructor(within: Reconciler, problems: ProblemLog) {
    this.#within = within
    this.#problems = problems
  }

  /** Notes what a walk could not read, and forgets what earlier walks could not. */
  note(unreadable: readonly UnreadableRecord[]): void {
    const places = new Map<string, Place>()
    for (const { path, code } of unreadable) {
      if (code !== "UNREADABLE") continue
      const [kind, folder = "", file] = relative(this.#within.directory, path).split(sep)
      const known = COLLECTION_KINDS.find((candidate) => candidate === kind)
      if (known && (file === undefined || known === "message"))
        places.set(`${known}/${folder}`, { kind: known, folder })
    }
    this.#places = [...places.values()]
  }

  /** Whether a whole kind could not be listed, so that nobody knows which folders were missed. */
  get lackKind(): boolean {
    return this.#places.some(({ folder }) => folder === "")
  }

  get areNone(): boolean {
    return this.#places.length === 0
  }

  /** Tries the folders again, and brings the rows of those up to date that can be read now. @throws as `reconcile` */
  async lookAgain(signal?: AbortSignal): Promise<void> {
    const still = new Set<Place>()
    const passes = await untilAdmitted(() => {
      still.clear()
      const onFault = (place: Place): Set<Place> => still.add(place)
      return reconcile(this.#within, this.#places, { slice: new TimeSlice(signal), patient: true, onFault })
    })
    for (const { place } of passes) if ((await this.#recordsIn(place)).length > 0) still.add(place)
    this.#places = [...still]
  }

  /** Reports all of them. */
  async report(): Promise<void> {
    const { directory } = this.#within
    for (const place of this.#places) {
      const records = await this.#recordsIn(place)
      for (const { id, problem: code, problemMessage: message } of records)
        this.#problems.report({ path: recordPath(directory, place, id), code, message })
      if (records.length > 0) continue
      const path = placePath(directory, place)
      this.#problems.report({ path, code: "UNREADABLE", message: "The folder cannot be read" })
    }
  }

  /** The records of a folder that the system refused to read, by the index. */
  async #recordsIn(place: Place): Promise<readonly RecordProblem[]> {
    const problems = await patiently(() =>
      this.#within.index.read((statements) => {
        const row = statements.directories.find(place)
        return row ? statements[place.kind].problems(row.id) : []
      }),
    )
    return problems.filter(({ problem }) => problem === "UNREADABLE")
  }
}
