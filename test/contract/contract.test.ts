import { describe } from "bun:test"
import { variants } from "../support/variants.ts"
import { changeContract } from "./changes.ts"
import { keyContract } from "./keys.ts"
import { messageContract } from "./messages.ts"
import { oddityContract } from "./oddities.ts"
import { olderContract } from "./older.ts"
import { removalContract } from "./removal.ts"
import { retentionContract } from "./retention.ts"
import { rootsContract } from "./roots.ts"
import { sessionContract } from "./sessions.ts"
import { transferContract } from "./transfer.ts"

for (const variant of variants)
  describe(variant.name, () => {
    describe("keys", () => keyContract(variant))
    describe("sessions", () => sessionContract(variant))
    describe("messages", () => messageContract(variant))
    describe("changes", () => changeContract(variant))
    describe("removal", () => removalContract(variant))
    describe("oddities", () => oddityContract(variant))
    describe("older layout", () => olderContract(variant))
    describe("several roots", () => rootsContract(variant))
    describe("retention", () => retentionContract(variant))
    describe("transfer", () => transferContract(variant))
  })
