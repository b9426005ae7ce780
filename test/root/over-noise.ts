import { randomBytes } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { RootProvider } from "../../src/index.ts"

/** Opens a root after its index was made noise. */
export function overNoise(root: RootProvider): RootProvider {
  return {
    place: root.place,
    open(context) {
      if (context.indexFolder === undefined) throw new Error("There is no folder for an index")
      mkdirSync(context.indexFolder, { recursive: true })
      writeFileSync(join(context.indexFolder, "index.sqlite"), randomBytes(4096))
      return root.open(context)
    },
  }
}
