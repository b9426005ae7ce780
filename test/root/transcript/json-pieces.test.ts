import { expect, test } from "bun:test"
import { jsonPieces } from "../../../src/root/transcript/json-pieces.ts"

const long = Array.from({ length: 5_000 }, (_, at) => [
  `id ${at}`,
  { at, text: "ä\ud83d\ud83d\ude00\n", inner: { of: [at] } },
])

const VALUES: Readonly<Record<string, unknown>> = {
  nothing: {},
  "an empty list": [],
  "a text": "text",
  "a number": 1,
  null: null,
  "fields without a value": { a: undefined, b: 1, c: undefined, d: { e: undefined } },
  "names that have to be escaped": { 'a"b': [1], ["__proto__"]: { x: [] } },
  "a long list": long,
  "long lists in objects": { a: 1, of: { nodes: long, more: { names: long, text: "x" } }, z: long },
  "lists without a value": [undefined, 1],
  "objects in objects": { a: { b: { c: { d: { e: { f: { g: [1, { h: 2 }] } } } } } } },
}

for (const [name, value] of Object.entries(VALUES))
  test(`the pieces of ${name} are the text that JSON.stringify gives`, () => {
    expect([...jsonPieces(value)].join("")).toBe(JSON.stringify(value))
  })

test("no piece of long lists is much longer than others", () => {
  const pieces = [...jsonPieces({ of: { nodes: long, more: long } })]
  expect(pieces.length).toBeGreaterThan(5)
  for (const piece of pieces) expect(piece.length).toBeLessThan(128 * 1024)
})
