import type { FileSystem } from "../../file/system.ts"
import type { DeclaredFields } from "../../record/fields.ts"
import type { RootContext } from "../root.ts"
import type { RecordFiles } from "./file-catalog.ts"

/** How to open a folder of JSON files. */
export interface JsonOptions extends RootContext {
  readonly directory: string
  /** Whose records they are, where that is known; by default `"json"`. */
  readonly source?: string | undefined
  /** The declared fields that its sessions are listed by. */
  readonly fields?: DeclaredFields | undefined
  /** By default the current one; the folder of the older layout is `project`. */
  readonly layout?: "current" | "older"
  /** Change nothing in the folder, not even for a probe of its clock. */
  readonly readOnly: boolean
  readonly fs: FileSystem
  /** Answer from the files alone, without any index. */
  readonly filesOnly?: boolean
  /** What the store took for this folder and has not written yet. */
  readonly unwritten?: RecordFiles["unwritten"]
  /** What the background walk waits for. */
  readonly before?: Promise<void>
}
