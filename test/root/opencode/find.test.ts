import { expect, test } from "bun:test"
import { join } from "node:path"
import { findDatabases } from "../../../src/root/opencode/find.ts"
import { put, tempFolder } from "../../support/temp.ts"

test("the databases of a data folder are opencode's own and those of its channels", () => {
  const folder = tempFolder()
  for (const name of ["opencode-dev.db", "opencode.db", "opencode-my.branch_2.db"]) put(folder, name, "")
  for (const name of [
    "opencode.db-wal",
    "opencode.db-shm",
    "opencode.db.bak",
    "opencode-.db",
    "other.db",
    "opencode-a b.db",
  ])
    put(folder, name, "")
  expect(findDatabases(folder)).toEqual(
    ["opencode.db", "opencode-dev.db", "opencode-my.branch_2.db"].map((name) => join(folder, name)),
  )
})

test("OPENCODE_DB names one more, absolute or in the data folder, and none twice", () => {
  const folder = tempFolder()
  put(folder, "opencode.db", "")
  const own = join(folder, "opencode.db")
  const elsewhere = join(tempFolder(), "x.sqlite")
  expect(findDatabases(folder, { OPENCODE_DB: elsewhere })).toEqual([elsewhere, own])
  expect(findDatabases(folder, { OPENCODE_DB: "work.db" })).toEqual([join(folder, "work.db"), own])
  expect(findDatabases(folder, { OPENCODE_DB: "opencode.db" })).toEqual([own])
  for (const none of ["", ":memory:", undefined])
    expect(findDatabases(folder, { OPENCODE_DB: none })).toEqual([own])
})

test("a folder that is not there has no databases; one that cannot be listed is told", () => {
  const folder = tempFolder()
  expect(findDatabases(join(folder, "none"))).toEqual([])
  expect(() => findDatabases(`${folder}/${"x".repeat(300)}`)).toThrow(
    expect.objectContaining({ code: "UNREADABLE", path: `${folder}/${"x".repeat(300)}` }),
  )
})
