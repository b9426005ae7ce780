import type { Statements } from "../../database/statements.ts"
import type { FoundContainer } from "./container.ts"
import type { Settled } from "./settled.ts"

/** The most sessions that are remembered for one question. */
const MAX_SEEN = 64

/** A session as in its row. */
interface Row {
  readonly project: string
  readonly body: string
}

interface SeenSession extends Row {
  readonly container: FoundContainer
}

/** Sessions that one question asks for several times. A row is read once and is valid as long as the session's files have not changed. */
export class SeenSessions {
  readonly #settled: Settled
  readonly #seen = new WeakMap<object, Map<string, SeenSession>>()

  constructor(settled: Settled) {
    this.#settled = settled
  }

  /**
   * A session; `undefined` if its files are not known well enough to answer.
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

/** Its only row; `undefined` if it has none or several. */
function rowOf({ session, directories, transcripts }: Statements, id: string): Row | undefined {
  const [project, another] = session.folders(id)
  if (project === undefined || another !== undefined) return undefined
  const directory = directories.find({ kind: "session", folder: project })
  const body = directory && transcripts.bodies(directory.id, [id]).get(id)
  return body === undefined ? undefined : { project, body }
}
