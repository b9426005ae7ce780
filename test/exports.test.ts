import { expect, test } from "bun:test"
import * as main from "sessiondex"
import * as http from "sessiondex/http"
import * as storage from "sessiondex/storage"

test("the package exports these names and no others", () => {
  expect(Object.keys(main).sort()).toEqual([
    "ProblemLog",
    "ScannedCatalog",
    "Store",
    "StoreError",
    "createId",
    "documentOf",
    "findSources",
    "findStore",
    "idTime",
    "isStoreError",
    "jsonFolder",
    "machineOf",
    "openStore",
    "opencodeDatabase",
    "opencodeDatabases",
    "ownFolder",
    "postgres",
    "readDocument",
    "scannedRoot",
    "sourceAt",
    "sourceNames",
    "transcripts",
  ])
  expect(Object.keys(http).sort()).toEqual(["DEFAULT_PORT", "createHandler", "isLoopback", "serve"])
  expect(Object.keys(storage)).toEqual(["createStorage"])
})
