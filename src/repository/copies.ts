import type { JsonObject } from "../record/extract.ts"
import { fieldsOf } from "../record/extract.ts"

const FIRST_CAPACITY = 1024

/**
 * Tells answers of models that lie in several sessions, as those of a forked session do: with ids of their own, but otherwise as
 * they were. An answer is recognised by what no two answers share: when it began and ended, of which model and provider, and
 * what it took. Holds 64 bits of each that took anything, in a table of at most four times that size.
 */
export class Copies {
  readonly #earlier = new HashSet()
  #session: bigint[] = []

  /** Tells whether an answer lies in a session before this one too. */
  has(answer: JsonObject): boolean {
    const hash = fingerprint(answer)
    if (hash === undefined) return false
    if (this.#earlier.has(hash)) return true
    this.#session.push(hash)
    return false
  }

  /** What comes now is of another session. */
  nextSession(): void {
    for (const hash of this.#session) this.#earlier.add(hash)
    this.#session = []
  }
}

/** `undefined` for what has no time, or took nothing: nothing tells such answers apart. */
function fingerprint({ role, time, modelID, providerID, tokens, cost }: JsonObject): bigint | undefined {
  if (role !== "assistant") return undefined
  const { created, completed } = fieldsOf(time)
  if (typeof created !== "number" || created === 0) return undefined
  const { input, output, reasoning, cache } = fieldsOf(tokens)
  const { read, write } = fieldsOf(cache)
  const took = [input, output, reasoning, read, write, cost]
  if (!took.some((amount) => typeof amount === "number" && amount !== 0)) return undefined
  return Bun.hash.wyhash(JSON.stringify([created, completed, modelID, providerID, ...took]))
}

/** A set of hashes in one array, by open addressing: a `Set` of bigints takes ten times the memory. */
class HashSet {
  #slots = new BigUint64Array(FIRST_CAPACITY)
  #size = 0

  has(hash: bigint): boolean {
    return this.#slots[this.#slotOf(hash)] === entry(hash)
  }

  add(hash: bigint): void {
    const slot = this.#slotOf(hash)
    if (this.#slots[slot] === entry(hash)) return
    this.#slots[slot] = entry(hash)
    if (++this.#size * 2 > this.#slots.length) this.#grow()
  }

  /** Where a hash is, or would be. */
  #slotOf(hash: bigint): number {
    const mask = this.#slots.length - 1
    const wanted = entry(hash)
    let slot = Number(wanted & 0xffff_ffffn) & mask
    for (;;) {
      const there = this.#slots[slot]
      if (there === wanted || there === 0n) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new BigUint64Array(old.length * 2)
    for (const hash of old) if (hash !== 0n) this.#slots[this.#slotOf(hash)] = hash
  }
}

/** Zero stands for an empty slot. */
function entry(hash: bigint): bigint {
  return hash === 0n ? 1n : hash
}
