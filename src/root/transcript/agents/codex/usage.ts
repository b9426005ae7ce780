import { fieldsOf } from "../../../../record/extract.ts"
import { numberOf } from "./line.ts"

/** Tokens of one response, each counted in one place only: together they are its total. */
export interface Usage {
  readonly input: number
  readonly output: number
  readonly reasoning: number
  readonly cache: { readonly read: number; readonly write: number }
}

/** What a response took; `undefined` for nothing. Its input says the cached tokens again, its output those of reasoning. */
export function usageOf(value: unknown): Usage | undefined {
  const told = fieldsOf(value)
  const amount = (name: string): number => Math.max(0, numberOf(told[name]) ?? 0)
  const read = amount("cached_input_tokens")
  const write = amount("cache_write_input_tokens")
  const reasoning = amount("reasoning_output_tokens")
  const input = Math.max(0, amount("input_tokens") - read - write)
  const output = Math.max(0, amount("output_tokens") - reasoning)
  return input + output + reasoning + read + write === 0
    ? undefined
    : { input, output, reasoning, cache: { read, write } }
}
