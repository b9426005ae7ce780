import type { Output } from "./output.ts"

/** What a command gets to work with. */
export interface Context {
  readonly output: Output
  /** Sets the exit code for a finding or a failure that was already told. */
  fail(): void
}
