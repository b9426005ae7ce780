import { describe } from "bun:test"
import { tempFoldersOnDisk } from "../support/temp.ts"
import { type Variant, variants } from "../support/variants.ts"
import { changeContract } from "./changes.ts"
import { fieldContract } from "./fields.ts"
import { keyContract } from "./keys.ts"
import { messageContract } from "./messages.ts"
import { oddityContract } from "./oddities.ts"
import { olderContract } from "./older.ts"
import { removalContract } from "./removal.ts"
import { repairContract } from "./repair.ts"
import { retentionContract } from "./retention.ts"
import { rootsContract } from "./roots.ts"
import { sessionContract } from "./sessions.ts"
import { syncCopyContract } from "./sync-copies.ts"
import { transferContract } from "./transfer.ts"

for (const variant of variants)
  describe(variant.name, () => {
    // What changes files is done on the disk too; that takes the same time for each of them, and one is enough.
    const changing = (name: string, contract: (variant: Variant) => void): void =>
      describe(name, () => {
        if (variant === variants[0]) tempFoldersOnDisk()
        contract(variant)
      })
    describe("keys", () => keyContract(variant))
    describe("sessions", () => sessionContract(variant))
    describe("declared fields", () => fieldContract(variant))
    describe("messages", () => messageContract(variant))
    changing("changes", changeContract)
    changing("removal", removalContract)
    describe("oddities", () => oddityContract(variant))
    describe("copies of synchronisers", () => syncCopyContract(variant))
    describe("older layout", () => olderContract(variant))
    describe("several roots", () => rootsContract(variant))
    describe("repair", () => repairContract(variant))
    describe("retention", () => retentionContract(variant))
    describe("transfer", () => transferContract(variant))
  })
