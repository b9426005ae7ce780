import type { Node } from "./line.ts"

/** Lines of a conversation that follow each other, by their places in it. */
export interface Path {
  /** The line that it goes on from, one of another path; -1 for none. */
  readonly after: number
  readonly lines: readonly number[]
}

/** Lines of one conversation, oldest first, and what each goes on from. */
export class Tree {
  readonly nodes: readonly Node[]
  readonly #ids: ReadonlyMap<string, number>
  /** The place of each line's parent, -1 for none. */
  readonly #parents: Int32Array
  readonly #taken: Uint8Array

  constructor(ids: readonly string[], nodes: readonly Node[]) {
    this.nodes = nodes
    this.#ids = new Map(ids.map((id, at) => [id, at]))
    this.#parents = this.#parentsOf(ids)
    this.#taken = new Uint8Array(nodes.length)
  }

  at(id: string | undefined): number | undefined {
    return id === undefined ? undefined : this.#ids.get(id)
  }

  isTaken(at: number): boolean {
    return this.#taken[at] === 1
  }

  /** The lines up to one that no path has yet. Each line is in one path, so all paths together take as long as there are lines. */
  pathTo(leaf: number): Path {
    const lines: number[] = []
    let at = leaf
    for (; at >= 0 && !this.isTaken(at); at = this.#parents[at] ?? -1) {
      this.#taken[at] = 1
      lines.push(at)
    }
    return { after: at, lines: lines.reverse() }
  }

  /**
   * A line goes on from one before it in the file, so there are no circles. One whose parent is not there goes on from the line
   * before it: the parent was a progress line that was passed over, or a line that cannot be read, which must not hide all before
   * it. Only a prompt without a parent begins anew where there was one before, as one does that takes the place of the first (reports of
   * rewinds); what else has none follows what was there.
   */
  #parentsOf(ids: readonly string[]): Int32Array {
    const parents = new Int32Array(this.nodes.length).fill(-1)
    /** Where to go on after messages that a compaction kept: behind its summary, though their own lines lie before it. */
    const kept = new Map<number, number>()
    /** The last of these, by the boundary and by the summary that they are shown after. */
    const tails = new Map<string, number>()
    let isBegun = false
    for (const [at, node] of this.nodes.entries()) {
      const { kind, parent, words } = node
      const own = this.#before(parent, at)
      // The boundary itself follows what it kept.
      const behind = own === undefined || kind === "boundary" ? undefined : kept.get(own)
      if (own !== undefined) parents[at] = behind ?? own
      else if (parent !== undefined || words === undefined || !isBegun) parents[at] = at - 1
      isBegun ||= words !== undefined
      const id = ids[at] ?? ""
      // Kept messages that are written only after the summary have it for their parent (reports of 2.1).
      const tail = node.kept && this.#before(node.kept.tail, at)
      if (node.kept && tail !== undefined) {
        kept.set(tail, at)
        tails.set(id, tail)
        if (node.kept.anchor !== undefined) tails.set(node.kept.anchor, tail)
      }
      const of = kind === "summary" ? (tails.get(id) ?? tails.get(parent ?? "")) : undefined
      if (of !== undefined) kept.set(of, at)
    }
    return parents
  }

  #before(id: string | undefined, at: number): number | undefined {
    const found = this.at(id)
    return found !== undefined && found < at ? found : undefined
  }
}
