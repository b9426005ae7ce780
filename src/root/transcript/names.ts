import { soundId } from "./record-bodies.ts"

/** Ids that can be names of ours, each given once. The same ones asked for in the same order become the same. */
export class Names {
  readonly #given = new Set<string>()
  readonly #repeats = new Map<string, number>()

  unique(id: string): string {
    const sound = soundId(id)
    let name = sound
    let repeats = this.#repeats.get(sound) ?? 0
    while (this.#given.has(name)) name = soundId(`${sound}_${++repeats}`)
    this.#repeats.set(sound, repeats)
    this.#given.add(name)
    return name
  }
}
