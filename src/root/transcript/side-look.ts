import type { FileStat } from "../../file/system.ts"
import type { FoundContainer } from "./container.ts"
import { lookText } from "./look.ts"

/** The look of a side, and a digest of its content for when the look alone proves nothing. */
export interface SideLook {
  readonly look: string
  readonly isSure: boolean
  /** `undefined` for a side that has no digest: it has to be read again. */
  digest(): string | undefined
}

/** The look of a missing file. */
export const ABSENT: SideLook = { look: "", isSure: true, digest: () => String(Bun.hash("")) }

/** The look of a base: that of all its files. */
export function baseLook(base: FoundContainer | undefined, isSure: (stat: FileStat) => boolean): SideLook {
  const files = base?.files ?? []
  const areSure = files.every(({ stat }) => isSure(stat))
  return { look: files.map(({ stat }) => lookText(stat)).join(), isSure: areSure, digest: () => undefined }
}
