import { describe } from "bun:test"
import { tempFoldersInMemory } from "../support/temp.ts"
import { variants } from "../support/variants.ts"
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
    // A disk takes the same time for each of them; one is enough.
    if (variant !== variants[0]) tempFoldersInMemory()
    describe("keys", () => keyContract(variant))
    describe("sessions", () => sessionContract(variant))
    describe("declared fields", () => fieldContract(variant))
    describe("messages", () => messageContract(variant))
    describe("changes", () => changeContract(variant))
    describe("removal", () => removalContract(variant))
    describe("oddities", () => oddityContract(variant))
    describe("copies of synchronisers", () => syncCopyContract(variant))
    describe("older layout", () => olderContract(variant))
    describe("several roots", () => rootsContract(variant))
    describe("repair", () => repairContract(variant))
    describe("retention", () => retentionContract(variant))
    describe("transfer", () => transferContract(variant))
  })
