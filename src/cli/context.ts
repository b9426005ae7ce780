import type { Home } from "../index.ts"
import type { Output } from "./output.ts"

/** What a command gets to work with. */
export interface Context {
  readonly output: Output
  /** Whose histories are read where none are named. */
  readonly home: Home
  /** Sets the exit code for a finding or a failure that was already told. */
  fail(): void
}
