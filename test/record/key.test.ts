import { expect, test } from "bun:test"
import { idOfFile, keyPath, segmentFault } from "../../src/record/key.ts"

test("a key's path is its segments below the folder", () => {
  expect(keyPath("/store", ["message", "ses_1", "msg_1"])).toBe("/store/message/ses_1/msg_1.json")
})

test("file names that are no record's have no id", () => {
  expect(idOfFile("ses_1.json")).toBe("ses_1")
  for (const name of ["ses_1", ".json", ".x.json", "x.json.tmp", "a\u{1}.json", "x.JSON"])
    expect(idOfFile(name)).toBeUndefined()
})

test("the longest segment that is a file name with its suffix passes, one byte more does not", () => {
  expect(segmentFault("x".repeat(250))).toBeUndefined()
  expect(segmentFault("x".repeat(251))).toBeDefined()
})
