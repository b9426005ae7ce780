import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import { type Api, objects } from "./api.ts"
import { numberOf, textOf } from "./format.ts"
import { Model } from "./model.ts"

/** How far indexing has come; without `total` nobody knows yet how much there is. */
export interface Indexing {
  readonly done: number
  readonly total: number | undefined
}

/** How often it is asked while something is being indexed, in ms. */
const PAUSE = 500

/** How the server is: what it reads, what it may change, whether it is indexing. */
export class Health extends Model {
  readonly #api: Api
  #timer: ReturnType<typeof setTimeout> | undefined
  /** The sources that are read, each once, as `codex`. */
  sources: readonly string[] = []
  /** The place whose sessions can be removed, if they can. */
  writable: string | undefined
  /** Records that could not be read so far. */
  problems = 0
  indexing: Indexing | undefined

  constructor(api: Api) {
    super()
    this.#api = api
  }

  /** Asks now, and again and again while something is being indexed. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      this.#read((await this.#api.object("health")) ?? {})
    } catch {
      // Without an answer nothing may be changed; the list tells of the failure.
      this.writable = this.indexing = undefined
    }
    clearTimeout(this.#timer)
    if (this.indexing) this.#timer = setTimeout(() => void this.look(), PAUSE)
    this.changed()
  }

  #read(health: JsonObject): void {
    this.sources = [...new Set(objects(health.sources).map(({ source }) => textOf(source)))]
    this.writable = health.writable === true ? textOf(health.directory) : undefined
    this.problems = numberOf(health.problems)
    this.indexing = readIndexing(health)
  }
}

/** What is being indexed, all places together; nothing where none is. */
export function readIndexing(health: JsonObject): Indexing | undefined {
  const running = [health, ...objects(health.alsoReading)]
    .map(({ backgroundIndex }) => fieldsOf(backgroundIndex))
    .filter(({ state }) => state === "running")
  if (running.length === 0) return undefined
  const sum = (name: string): number => running.reduce((all, walk) => all + numberOf(walk[name]), 0)
  const isKnown = running.every(({ total }) => numberOf(total) > 0)
  return { done: sum("done"), total: isKnown ? sum("total") : undefined }
}
