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
    this.#parents = this.#parentsOf()
    this.#taken = new Uint8Array(nodes.length)
  }

  at(id: string | undefined): number | undefined {
    return id === undefined ? undefined : this.#ids.get(id)
  }

  isTaken(at: number): boolean {
    return this.#taken[at] === 1
  }

  /** Lines that are shown with those of a path need none of their own. */
  take(at: number): void {
    this.#taken[at] = 1
  }

  /** The lines up to one that no path has yet. Each line is in one path, so all paths together take as long as there are lines. */
  pathTo(leaf: number): Path {
    const lines: number[] = []
    let at = leaf
    // A line that was taken on this very path ends a circle.
    for (; at >= 0 && !this.isTaken(at); at = this.#parents[at] ?? -1) {
      this.take(at)
      lines.push(at)
    }
    const isCircle = lines.includes(at)
    return { after: isCircle ? -1 : at, lines: lines.reverse() }
  }

  /**
   * A line whose parent is not there goes on from the line before it: the parent was a progress line that was passed over, or a
   * line that cannot be read, which must not hide all before it. Only a prompt without a parent begins anew, as one does that
   * takes the place of the first (reports of rewinds); what else has none follows what was there.
   */
  #parentsOf(): Int32Array {
    const parents = new Int32Array(this.nodes.length).fill(-1)
    /** Where to go on after messages that a compaction kept: behind its summary, though their own lines lie before it. */
    const kept = new Map<string, number>()
    const boundaries = new Map<number, Node>()
    for (const [at, node] of this.nodes.entries()) {
      const { kind, parent, words } = node
      const own = this.at(parent)
      const behind = parent === undefined || kind === "boundary" ? undefined : kept.get(parent)
      if (behind !== undefined) parents[at] = behind
      else if (own !== undefined && own !== at) parents[at] = own
      else if (parent !== undefined || words === undefined) parents[at] = at - 1
      if (node.kept) {
        boundaries.set(at, node)
        kept.set(node.kept.tail, Math.max(at, this.at(node.kept.anchor) ?? at))
      }
      const of = kind === "summary" ? boundaries.get(parents[at] ?? -1) : undefined
      if (of?.kept) kept.set(of.kept.tail, at)
    }
    return parents
  }
}
