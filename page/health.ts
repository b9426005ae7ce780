import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import { type Api, objects } from "./api.ts"
import { numberOf, textOf } from "./format.ts"
import { Model } from "./model.ts"

/** How far indexing has come. */
export interface Indexing {
  /** Whose history it is, where several are read. */
  readonly source: string | undefined
  /** `sessions`, `messages` or `parts` while records are read; `texts` once they are. */
  readonly kind: string
  readonly done: number
  /** `undefined` where nobody knows how much there is. */
  readonly total: number | undefined
}

/** How often it is asked while something is being indexed, in ms. */
const PAUSE = 500

/** How the server is: what it reads, what it may change, whether it is indexing. */
export class Health extends Model {
  readonly #api: Api
  #timer: ReturnType<typeof setTimeout> | undefined
  #isSearching = false
  /** The sources that are read, each once, as `codex`. */
  sources: readonly string[] = []
  /** The place whose sessions can be removed, if they can. */
  writable: string | undefined
  /** Records that could not be read so far. */
  problems = 0
  indexing: Indexing | undefined
  /** How often something that was being indexed came to its end. */
  finished = 0

  constructor(api: Api) {
    super()
    this.#api = api
  }

  /** Asks as long as a search goes on, which may begin to index what it needs, and once more when it has ended. */
  follow(isSearching: boolean): void {
    if (isSearching === this.#isSearching) return
    this.#isSearching = isSearching
    void this.look()
  }

  /** Asks now, and again and again while something is being indexed. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    const before = this.indexing
    try {
      this.#read((await this.#api.object("health")) ?? {})
    } catch {
      // Without an answer nothing may be changed; the list tells of the failure.
      this.writable = this.indexing = undefined
    }
    clearTimeout(this.#timer)
    if (before && !this.indexing) this.finished++
    if (this.indexing || this.#isSearching) this.#timer = setTimeout(() => void this.look(), PAUSE)
    this.changed()
  }

  #read(health: JsonObject): void {
    this.sources = [...new Set(objects(health.sources).map(({ source }) => textOf(source)))]
    this.writable = health.writable === true ? textOf(health.directory) : undefined
    this.problems = numberOf(health.problems)
    this.indexing = readIndexing(health)
  }
}

/** What is being indexed, of several places the first; nothing where none is. */
export function readIndexing(health: JsonObject): Indexing | undefined {
  const sources = new Map(objects(health.sources).map(({ place, source }) => [place, textOf(source)]))
  for (const place of [health, ...objects(health.alsoReading)]) {
    const { state, progress } = fieldsOf(place.backgroundIndex)
    if (state !== "running") continue
    const { kind, done, total } = fieldsOf(progress)
    const source = sources.size > 1 ? sources.get(place.directory) : undefined
    const isReading = numberOf(total) > 0 && numberOf(done) < numberOf(total)
    if (!isReading) return { source, kind: "texts", done: 0, total: undefined }
    return { source, kind: `${textOf(kind)}s`, done: numberOf(done), total: numberOf(total) }
  }
  return undefined
}
