import { soundId } from "./record-bodies.ts"

/** What needs no closer look to be a name. */
const PLAIN = /^\w[\w-]{0,99}$/

/** Ids that can be names of ours, each given once. The same ones asked for in the same order become the same. */
export class Names {
  readonly #given = new Set<string>()
  readonly #repeats = new Map<string, number>()

  /** Whether any was asked for that had been given. */
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
