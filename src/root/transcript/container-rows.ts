import type { ContainerLook } from "../../database/transcript-statements.ts"
import { type ContainerAt, type FoundContainer, keyOf } from "./container.ts"
import type { ReadContainer } from "./transcripts.ts"

/** The rows of all containers at one version of the index, matched with the containers that were found. */
export class ContainerRows {
  readonly version: string
  readonly #rows: readonly ContainerLook[]
  readonly #byKey: ReadonlyMap<string, ContainerLook>
  /** By container object: each look finds the same objects again. */
  readonly #of = new WeakMap<ContainerAt, ContainerLook>()
  readonly #settled = new WeakSet<FoundContainer>()
  /** What was found last, and what of it has to be looked at more closely each time. */
  #last: { readonly found: readonly FoundContainer[]; readonly closer: readonly FoundContainer[] } | undefined
  readonly #sides = new WeakMap<ContainerLook, ReadContainer["sides"]>()

  constructor(version: string, rows: readonly ContainerLook[]) {
    this.version = version
    this.#rows = rows
    this.#byKey = new Map(rows.map((row) => [keyOf(row), row]))
  }

  of(container: ContainerAt): ContainerLook | undefined {
    const known = this.#of.get(container)
    if (known) return known
    const row = this.#byKey.get(keyOf(container))
    if (row) this.#of.set(container, row)
    return row
  }

  /** Those of containers that are not among these, which are each there once. */
  withoutFiles(found: readonly FoundContainer[]): ContainerLook[] {
    if (this.#rows.length === 0 || this.#last?.found === found) return []
    let count = 0
    for (const container of found) if (this.of(container)) count++
    if (count === this.#rows.length) return []
    const there = new Set(found.map((container) => this.of(container)))
    return this.#rows.filter((row) => !there.has(row))
  }

  /** What of these has to be compared with its row: not what is known to look as it did and to depend on nothing else. */
  closer(found: readonly FoundContainer[]): readonly FoundContainer[] {
    return this.#last?.found === found ? this.#last.closer : found
  }

  /** Knows that of these, which all rows are of, only some have to be looked at more closely as long as all are the same. */
  noteCloser(found: readonly FoundContainer[], closer: readonly FoundContainer[]): void {
    this.#last = { found, closer }
  }

  /** Whether a container was found to look as its row says. */
  hasLookOf(container: FoundContainer): boolean {
    return this.#settled.has(container)
  }

  noteLookOf(container: FoundContainer): void {
    this.#settled.add(container)
  }

  sidesOf(row: ContainerLook): ReadContainer["sides"] {
    const known = this.#sides.get(row)
    if (known) return known
    const sides = JSON.parse(row.sides) as ReadContainer["sides"]
    this.#sides.set(row, sides)
    return sides
  }
}
