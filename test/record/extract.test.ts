import { expect, test } from "bun:test"
import fc from "fast-check"
import { isJsonObject, messageFields, partFields, sessionFields } from "../../src/record/extract.ts"

test("no JSON object makes the extractors throw or give anything but their types", () => {
  const odd = fc.record(
    {
      id: fc.jsonValue(),
      time: fc.jsonValue(),
      parentID: fc.jsonValue(),
      directory: fc.jsonValue(),
      title: fc.jsonValue(),
      role: fc.jsonValue(),
      type: fc.jsonValue(),
      tool: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(odd, fc.object()), (body) => {
      if (!isJsonObject(body)) return
      const session = sessionFields(body)
      expect([typeof session.created, typeof session.updated, typeof session.archived]).toEqual([
        "number",
        "number",
        "boolean",
      ])
      expect(Number.isFinite(messageFields(body).created)).toBe(true)
      const { type } = partFields(body)
      expect(type === null || typeof type === "string").toBe(true)
    }),
    { numRuns: 500 },
  )
})

test("what is missing falls back: no update means its creation, no archive time means not archived", () => {
  expect(sessionFields({ time: { created: 5 } })).toMatchObject({
    created: 5,
    updated: 5,
    archived: false,
    parentID: null,
  })
  expect(sessionFields({ time: { created: 5, archived: 0 } }).archived).toBe(false)
  expect(sessionFields({ time: { created: 5, archived: 9 } }).archived).toBe(true)
})
