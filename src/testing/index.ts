export type { HeldRecord, History } from "./history.ts"
export { type RootSubject, rootContract } from "./root-contract.ts"
