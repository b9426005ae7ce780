import type { FileSystem } from "../../file/system.ts"
import type { DeclaredFields } from "../../record/fields.ts"
import type { RootContext } from "../root.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** How to open a folder of JSON files. */
export interface JsonOptions extends RootContext {
  readonly directory: string
  /** Which agent wrote the records, if it is known; by default `"json"`. */
  readonly source?: string | undefined
  /** The declared fields that its sessions can be listed by. */
  readonly fields?: DeclaredFields | undefined
  /** The layout of the files, by default `current`. The folder of the older layout is called `project`. */
  readonly layout?: "current" | "older"
  /** Whether nothing in the folder may change, not even temp files that a killed process left. */
  readonly readOnly: boolean
  readonly fs: FileSystem
  /** Whether to answer from the files alone, without any index. */
  readonly filesOnly?: boolean
  /** What the store has accepted for this folder and not written yet. */
  readonly unwritten?: RecordFiles["unwritten"]
  /** What the background walk waits for. */
  readonly before?: Promise<void>
}
