import type { Store } from "../store.ts"
import type { History } from "./history.ts"

/** What the parts of a contract work with; ready once its tests run. */
export interface Opened {
  readonly store: Store
  readonly holds: History
}
