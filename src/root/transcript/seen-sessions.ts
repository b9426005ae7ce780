import type { Statements } from "../../database/statements.ts"
import type { FoundContainer } from "./container.ts"
import type { Settled } from "./settled.ts"

/** Sessions of one question that are remembered at most. */
const MAX_SEEN = 64

/** A session as its row says it. */
interface Row {
  readonly project: string
  readonly body: string
}

interface SeenSession extends Row {
  readonly container: FoundContainer
}

/** Sessions that one question asks for again and again: their rows are read once, and good for it while their files are as they were found. */
export class SeenSessions {
  readonly #settled: Settled
  readonly #seen = new WeakMap<object, Map<string, SeenSession>>()

  constructor(settled: Settled) {
    this.#settled = settled
  }

  /**
   * A session; `undefined` where nothing is known of its files that would do.
   * @param question as in the range of a listing
   * @throws IndexFailure; StoreError `EXHAUSTED`
   */
  async find(id: string, question: object): Promise<Row | undefined> {
    const all = this.#seen.get(question) ?? new Map<string, SeenSession>()
    const seen = all.get(id)
    if (seen && this.#settled.isAsFound(seen.container)) return seen
    all.delete(id)
    const container = this.#settled.foundAs(id)
    const row = container && (await this.#settled.ifStill(id, (statements) => rowOf(statements, id)))?.said
    if (!row || this.#settled.foundAs(id) !== container) return row
    if (all.size >= MAX_SEEN) all.clear()
    all.set(id, { ...row, container })
    this.#seen.set(question, all)
    return row
  }
}

/** Its one row; `undefined` where it has several. */
function rowOf({ session, directories, transcripts }: Statements, id: string): Row | undefined {
  const [project, another] = session.folders(id)
  if (project === undefined || another !== undefined) return undefined
  const directory = directories.find({ kind: "session", folder: project })
  const body = directory && transcripts.bodies(directory.id, [id]).get(id)
  return body === undefined ? undefined : { project, body }
}
