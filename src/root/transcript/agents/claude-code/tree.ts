import type { Node } from "./line.ts"

/** Consecutive lines of a conversation, by their places in it. */
export interface Path {
  /** The line of another path that it follows; -1 for none. */
  readonly after: number
  readonly lines: readonly number[]
}

/** The lines of one conversation, oldest first, and which line each one follows. */
export class Tree {
  readonly #ids = new Map<string, number>()
  /** The place of each line's parent, -1 for none. */
  readonly #parents: number[] = []
  readonly #taken: boolean[] = []
  /** By the last message that a compaction kept: the line after which the conversation continues. It is behind the summary, though the kept lines are before it. */
  readonly #kept = new Map<number, number>()
  /** The last kept message, by the compaction's boundary and by the summary before it. */
  readonly #tails = new Map<string, number>()
  #isBegun = false

  /** The place of a line; `undefined` for an unknown one. */
  at(id: string | undefined): number | undefined {
    return id === undefined ? undefined : this.#ids.get(id)
  }

  isTaken(at: number): boolean {
    return this.#taken[at] === true
  }

  /** The lines up to this leaf that are in no path yet. Each line is in one path, so all paths together take linear time. */
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
   * Adds the next line. It can only follow a line before it in the file, so there are no circles. If its parent is missing, it follows the
   * line before it: the parent was a skipped progress line, or an unreadable line, which must not hide everything before it. A prompt
   * without a parent starts a new tree if there was a prompt before, such as one that replaces the first (reports of rewinds). Any other
   * line without a parent follows the line before it.
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
    // Kept messages that are written after the summary have it as their parent (reports of 2.1).
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
