import type { JsonObject } from "../record/extract.ts"
import { fieldsOf } from "../record/extract.ts"

const FIRST_CAPACITY = 1024

/**
 * Recognises answers of models that lie in several sessions, as after a session was forked. An answer to which the provider gave a name
 * (`metadata.responseID` and `requestID`) is recognised by that, even if one copy is shorter than another. Any other answer is recognised
 * by what no two answers share: when it began and ended, its model and provider, its tokens and cost. Holds a 64-bit hash and the output of
 * each answer, in a table of at most four times that size.
 */
export class Copies {
  readonly #earlier = new Outputs()
  #session: [bigint, number][] = []

  /** The largest output of an answer in the sessions before this one; `undefined` if it is in none of them. */
  earlier(answer: JsonObject): number | undefined {
    const hash = fingerprint(answer)
    if (hash === undefined) return undefined
    this.#session.push([hash, outputOf(answer)])
    return this.#earlier.get(hash)
  }

  /** Says that the next answers are from another session. */
  nextSession(): void {
    for (const [hash, output] of this.#session) this.#earlier.put(hash, output)
    this.#session = []
  }
}

/** The output tokens in an answer's own `tokens` field. */
export function outputOf({ tokens }: JsonObject): number {
  const { output } = fieldsOf(tokens)
  return typeof output === "number" && Number.isFinite(output) ? output : 0
}

/** A hash that identifies an answer; `undefined` if it has neither a name nor a time and tokens, so that nothing does. */
function fingerprint(answer: JsonObject): bigint | undefined {
  const { role, time, modelID, providerID, tokens, cost, metadata } = answer
  if (role !== "assistant") return undefined
  const { responseID, requestID } = fieldsOf(metadata)
  if (typeof responseID === "string" && responseID !== "") return hashOf([providerID, responseID, requestID])
  const { created, completed } = fieldsOf(time)
  if (typeof created !== "number" || created === 0) return undefined
  const { input, output, reasoning, cache } = fieldsOf(tokens)
  const { read, write } = fieldsOf(cache)
  const took = [input, output, reasoning, read, write, cost]
  if (!took.some((amount) => typeof amount === "number" && amount !== 0)) return undefined
  return hashOf([created, completed, modelID, providerID, ...took])
}

/** Hashes plain values. Anything else counts as `null`, since it may be nested too deep to be written. */
function hashOf(values: readonly unknown[]): bigint {
  return Bun.hash.wyhash(JSON.stringify(values.map((value) => (typeof value === "object" ? null : value))))
}

/** The largest output for each hash, in two arrays with open addressing. A `Map` of bigints takes ten times the memory. */
class Outputs {
  #slots = new BigUint64Array(FIRST_CAPACITY)
  #outputs = new Float64Array(FIRST_CAPACITY)
  #size = 0

  get(hash: bigint): number | undefined {
    const slot = this.#slotOf(hash)
    return this.#slots[slot] === entry(hash) ? this.#outputs[slot] : undefined
  }

  put(hash: bigint, output: number): void {
    const slot = this.#slotOf(hash)
    const isNew = this.#slots[slot] !== entry(hash)
    this.#slots[slot] = entry(hash)
    this.#outputs[slot] = isNew ? output : Math.max(output, this.#outputs[slot] ?? 0)
    if (isNew && ++this.#size * 2 > this.#slots.length) this.#grow()
  }

  /** The slot that a hash has or would get. */
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
    const slots = this.#slots
    const outputs = this.#outputs
    this.#slots = new BigUint64Array(slots.length * 2)
    this.#outputs = new Float64Array(slots.length * 2)
    for (const [from, hash] of slots.entries()) {
      if (hash === 0n) continue
      const slot = this.#slotOf(hash)
      this.#slots[slot] = hash
      this.#outputs[slot] = outputs[from] ?? 0
    }
  }
}

/** A hash as it is stored: zero stands for an empty slot. */
function entry(hash: bigint): bigint {
  return hash === 0n ? 1n : hash
}
