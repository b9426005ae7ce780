import { soundId } from "./record-bodies.ts"

/** Ids that are valid names without a closer look. */
const PLAIN = /^\w[\w-]{0,99}$/

/** Makes valid names of ids, each name once. The same ids in the same order always give the same names. */
export class Names {
  readonly #given = new Set<string>()
  readonly #repeats = new Map<string, number>()

  /** Whether an id was asked for twice. */
  get hasRepeats(): boolean {
    return this.#repeats.size > 0
  }

  unique(id: string): string {
    const sound = PLAIN.test(id) ? id : soundId(id)
    let name = sound
    if (this.#given.has(sound)) {
      let repeats = this.#repeats.get(sound) ?? 0
      do name = soundId(`${sound}_${++repeats}`)
      while (this.#given.has(name))
      this.#repeats.set(sound, repeats)
    }
    this.#given.add(name)
    return name
  }
}
