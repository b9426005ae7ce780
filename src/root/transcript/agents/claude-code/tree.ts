import type { Node } from "./line.ts"

/** Lines of a conversation that follow each other, by their places in it. */
export interface Path {
  /** The line that it goes on from, one of another path; -1 for none. */
  readonly after: number
  readonly lines: readonly number[]
}

/** Lines of one conversation, oldest first, and what each goes on from. */
export class Tree {
  readonly #ids = new Map<string, number>()
  /** The place of each line's parent, -1 for none. */
  readonly #parents: number[] = []
  readonly #taken: boolean[] = []
  /** Where to go on after messages that a compaction kept: behind its summary, though their own lines lie before it. */
  readonly #kept = new Map<number, number>()
  /** The last of these, by the boundary and by the summary that they are shown after. */
  readonly #tails = new Map<string, number>()
  #isBegun = false

  /** The place of a line that was added; `undefined` for one that was not. */
  at(id: string | undefined): number | undefined {
    return id === undefined ? undefined : this.#ids.get(id)
  }

  isTaken(at: number): boolean {
    return this.#taken[at] === true
  }

  /** The lines up to one that no path has yet. Each line is in one path, so all paths together take as long as there are lines. */
  pathTo(leaf: number): Path {
    const lines: number[] = []
    let at = leaf
    for (; at >= 0 && !this.isTaken(at); at = this.#parents[at] ?? -1) {
      this.#taken[at] = true
      lines.push(at)
    }
    return { after: at, lines: lines.reverse() }
  }

  /**
   * Adds the next line. It goes on from one before it in the file, so there are no circles. One whose parent is not there goes on from
   * the line before it: the parent was a progress line that was passed over, or a line that cannot be read, which must not hide all
   * before it. Only a prompt without a parent begins anew where there was one before, as one does that takes the place of the first (reports
   * of rewinds); what else has none follows what was there.
   */
  add(id: string, { kind, parent, words, kept }: Node): void {
    const at = this.#parents.length
    const own = this.at(parent)
    // The boundary itself follows what it kept.
    const behind = own === undefined || kind === "boundary" ? undefined : this.#kept.get(own)
    const isNext = parent !== undefined || words === undefined || !this.#isBegun
    this.#parents.push(own === undefined ? (isNext ? at - 1 : -1) : (behind ?? own))
    this.#taken.push(false)
    this.#isBegun ||= words !== undefined
    // Kept messages that are written only after the summary have it for their parent (reports of 2.1).
    const tail = kept && this.at(kept.tail)
    if (kept && tail !== undefined) {
      this.#kept.set(tail, at)
      this.#tails.set(id, tail)
      if (kept.anchor !== undefined) this.#tails.set(kept.anchor, tail)
    }
    const of = kind === "summary" ? (this.#tails.get(id) ?? this.#tails.get(parent ?? "")) : undefined
    if (of !== undefined) this.#kept.set(of, at)
    this.#ids.set(id, at)
  }
}
