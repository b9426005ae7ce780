import { randomBytes } from "node:crypto"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { resolveOptions, type StoreOptions } from "../../src/options.ts"
import { Store } from "../../src/store.ts"

/** One way to open a store; the same contract holds for each. */
export interface Variant {
  readonly name: string
  open(directory: string, options?: Partial<StoreOptions>): Promise<Store>
}

export const INDEX = join(".sessiondex", "index.sqlite")

async function noise(directory: string): Promise<void> {
  await mkdir(join(directory, ".sessiondex"), { recursive: true })
  // A store that a test opens twice keeps the noise it has.
  await writeFile(join(directory, INDEX), randomBytes(4096), { flag: "wx" }).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
  })
}

function options(directory: string, more: Partial<StoreOptions> = {}) {
  return resolveOptions({ directory, backgroundIndex: false, durability: "relaxed", ...more })
}

export const variants: readonly Variant[] = [
  { name: "SQLite", open: async (directory, more) => new Store(options(directory, more)) },
  {
    name: "files alone",
    open: async (directory, more) => new Store(options(directory, more), { filesOnly: true }),
  },
  {
    name: "index of noise",
    async open(directory, more) {
      await noise(directory)
      return new Store(options(directory, more))
    },
  },
  {
    name: "index in the way of nobody: a folder where its file should be",
    async open(directory, more) {
      await mkdir(join(directory, INDEX), { recursive: true })
      return new Store(options(directory, more))
    },
  },
]
