import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import type { JsonObject } from "../../../src/record/extract.ts"
import { ObjectSplitter, type RawElement } from "../../../src/root/transcript/object-lines.ts"

/** An element, and its bytes as they were when it was yielded. */
type Element = RawElement & { readonly text: string | undefined }

function split(bytes: Buffer, pieceBytes = bytes.length || 1, maxBytes = 1_000_000) {
  const splitter = new ObjectSplitter(maxBytes)
  const elements: Element[] = []
  // The piece's memory is used again, as a reader of files does.
  const memory = Buffer.alloc(pieceBytes)
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = memory.subarray(0, bytes.copy(memory, 0, at, at + pieceBytes))
    for (const element of splitter.push(piece)) elements.push({ ...element, text: element.bytes?.toString() })
  }
  return { elements, rest: splitter.rest(), header: splitter.header, fault: splitter.fault }
}

const values = (elements: readonly Element[]): unknown[] => elements.map(({ text }) => JSON.parse(text ?? ""))

const session = fc.record(
  {
    sessionId: fc.string({ unit: "binary" }),
    odd: fc.jsonValue(),
    messages: fc.array(fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())), {
      maxLength: 8,
    }),
    summary: fc.jsonValue(),
    'na"me\\': fc.jsonValue(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>
const layout = fc.constantFrom<string | number>(0, 1, 2, 4, "\t")
const pieceBytes = fc.integer({ min: 1, max: 64 })

describe("a whole object", () => {
  test("gives what JSON.parse gives, whatever its layout and the size of the pieces", () => {
    fc.assert(
      fc.property(session, layout, pieceBytes, (object, indent, size) => {
        const bytes = Buffer.from(JSON.stringify(object, null, indent))
        const { elements, rest, header, fault } = split(bytes, size)
        const { messages = [], ...others } = JSON.parse(bytes.toString()) as JsonObject
        expect(values(elements)).toEqual(messages as unknown[])
        expect(JSON.parse(header)).toEqual(others)
        expect([rest, fault]).toEqual([undefined, undefined])
        for (const { offset, length, number, text } of elements) {
          expect(bytes.subarray(offset, offset + length).toString()).toBe(text ?? "")
          expect(number).toBe(bytes.subarray(0, offset).toString("latin1").split("\n").length)
        }
      }),
      { numRuns: 500 },
    )
  })

  test("as 0.27 wrote it", () => {
    const path = "tmp/migrated/chats/session-2026-11-26T18-03-0e0caf07.json"
    const bytes = readFileSync(join(import.meta.dir, "..", "..", "fixtures", "gemini-cli", path))
    const { messages, ...header } = JSON.parse(bytes.toString())
    const found = split(bytes, 100)
    expect(values(found.elements)).toEqual(messages)
    expect(JSON.parse(found.header)).toEqual(header)
  })

  test.each([
    ["an escaped name of the list", '{"mess\\u0061ges":[1,2]}', [1, 2], "{}"],
    ["a mark of byte order", '\ufeff{"a":1,"messages":[1]}', [1], '{"a":1}'],
    ["a list further in", '{"a":{"messages":[1]},"messages":[[2]]}', [[2]], '{"a":{"messages":[1]}}'],
    ["no list", '{"messages":{"a":[1]},"b":"}"}', [], '{"b":"}"}'],
    [
      "an element of each kind",
      '{"messages":[ null ,true,-1.5e3,"a,]} b",[],{}]}',
      [null, true, -1500, "a,]} b", [], {}],
      "{}",
    ],
    ["nothing", "{}", [], "{}"],
  ])("%s", (_, text, elements, header) => {
    const found = split(Buffer.from(text), 3)
    expect(values(found.elements)).toEqual(elements)
    expect(found.header).toBe(header)
    expect(found.fault).toBeUndefined()
  })
})

describe("bounds", () => {
  test("an element that is too long is told of by its place alone", () => {
    const bytes = Buffer.from(JSON.stringify({ messages: [1, "x".repeat(5_000), 2], a: 1 }))
    const { elements, header, fault } = split(bytes, 16, 100)
    expect(elements.map(({ text, length }) => [text, length])).toEqual([
      ["1", 1],
      [undefined, 5_002],
      ["2", 1],
    ])
    expect([header, fault]).toEqual(['{"a":1}', undefined])
  })

  test("what is too long is not held", () => {
    const splitter = new ObjectSplitter(1_000)
    const piece = Buffer.alloc(1024 * 1024, "x")
    Bun.gc(true)
    const before = process.memoryUsage.rss()
    for (const _ of splitter.push(Buffer.from('{"messages":["'))) expect.unreachable()
    for (let at = 0; at < 200; at++) for (const _ of splitter.push(piece)) expect.unreachable()
    expect(process.memoryUsage.rss() - before).toBeLessThan(60 * piece.length)
    expect(splitter.rest()).toMatchObject({ length: 200 * piece.length + 1, bytes: undefined })
  })

  test("a field that is too long is left out", () => {
    const { elements, header, fault } = split(
      Buffer.from(JSON.stringify({ a: 1, long: "x".repeat(5_000), messages: [3] })),
      16,
      100,
    )
    expect([values(elements), header, fault]).toEqual([[3], '{"a":1}', "It is damaged"])
  })

  test("objects nested a million deep pass", () => {
    const deep = `${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`
    const { elements } = split(Buffer.from(`{"messages":[${deep},1]}`), 65_536, 10_000_000)
    expect(elements.map(({ length }) => length)).toEqual([2_000_000, 1])
  })
})

/** What a real file holds: objects, laid out in lines. */
const laidOut = fc
  .tuple(
    fc.record({
      sessionId: fc.string(),
      messages: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 }),
    }),
    fc.constantFrom<string | number>(1, 2, 4, "\t"),
  )
  .map(([object, indent]) => Buffer.from(JSON.stringify(object, null, indent)))

describe("a damaged object", () => {
  test("that is cut short gives the elements that are whole", () => {
    fc.assert(
      fc.property(session, layout, pieceBytes, fc.nat(), (object, indent, size, place) => {
        const bytes = Buffer.from(JSON.stringify(object, null, indent))
        const whole = split(bytes).elements
        const cut = place % bytes.length
        const { elements, rest, fault } = split(bytes.subarray(0, cut), size)
        const expected = whole.filter(({ offset, length, text }) =>
          // Where a number or word ends shows by what follows.
          /[}\]]$/.test(text ?? "") ? offset + length <= cut : offset + length < cut,
        )
        expect(values(elements)).toEqual(values(expected))
        expect(fault).toBeDefined()
        if (rest) expect(rest.offset + rest.length).toBe(cut)
      }),
      { numRuns: 500 },
    )
  })

  test("with NULs in it gives all elements whose lines are whole", () => {
    fc.assert(
      fc.property(
        laidOut,
        pieceBytes,
        fc.nat(),
        fc.integer({ min: 1, max: 80 }),
        (bytes, size, place, length) => {
          const whole = split(bytes).elements
          const from = whole[0] ? Math.max(whole[0].offset, place % bytes.length) : 0
          const damaged = Buffer.from(bytes).fill(0, from, Math.min(bytes.length, from + length))
          const { elements } = split(damaged, size)
          const sound = elements.flatMap(({ offset, text }) => {
            try {
              return [[offset, JSON.parse(text ?? "")]]
            } catch {
              return []
            }
          })
          const expected = whole
            .filter(
              ({ offset, length: own }) =>
                offset + own <= from || damaged.lastIndexOf(10, offset) >= from + length,
            )
            .map(({ offset, text }) => [offset, JSON.parse(text ?? "")])
          expect(sound).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })

  test("before its list loses a field", () => {
    const object = { sessionId: "one", startTime: "2026", messages: [{ id: "u1" }], summary: "s" }
    const damaged = Buffer.from(JSON.stringify(object, null, 2))
    damaged.fill(0, damaged.indexOf("one"), damaged.indexOf("one") + 3)
    const { elements, header, fault } = split(damaged, 7)
    expect([values(elements), JSON.parse(header), fault]).toEqual([
      [{ id: "u1" }],
      { startTime: "2026", summary: "s" },
      "It is damaged",
    ])
  })

  test("through the end of its list keeps the fields behind it", () => {
    const object = { messages: [{ id: "u1" }, { id: "u2" }], summary: "s", more: 1 }
    const damaged = Buffer.from(JSON.stringify(object, null, 2))
    damaged.fill(0, damaged.indexOf("u2"), damaged.indexOf("summary"))
    const { elements, header } = split(damaged, 7)
    expect(elements[0]?.text).toContain("u1")
    expect(JSON.parse(header)).toEqual({ more: 1 })
    expect(split(damaged.subarray(0, -3), 7).rest).toBeUndefined()
  })

  test("in an object before its list still gives the list", () => {
    const object = { odd: { deep: [1] }, messages: [{ id: "u1" }], summary: "s" }
    const damaged = Buffer.from(JSON.stringify(object, null, 2))
    damaged.fill(0, damaged.indexOf("]"), damaged.indexOf("]") + 2)
    const { elements, header } = split(damaged, 7)
    expect([values(elements), JSON.parse(header)]).toEqual([[{ id: "u1" }], { summary: "s" }])
  })

  test("in its last element ends as a whole one", () => {
    const damaged = Buffer.from(JSON.stringify({ messages: [{ id: "u1" }, { id: "u2" }] }, null, 2))
    damaged.fill(0, damaged.indexOf("u2"), damaged.indexOf("u2") + 5)
    const { elements, rest, fault } = split(damaged, 7)
    expect([elements.length, rest, fault]).toEqual([2, undefined, undefined])
  })

  test("with a line break in a string goes on with the next element", () => {
    const text =
      '{\n  "messages": [\n    {\n      "id": "cut off\n    },\n    {\n      "id": "u2"\n    }\n  ],\n  "a": 1\n}'
    const { elements, header, fault } = split(Buffer.from(text), 5)
    expect(elements.map(({ number, text }) => [number, text?.includes("u2")])).toEqual([
      [3, false],
      [6, true],
    ])
    expect([header, fault]).toEqual(['{"a": 1}', undefined])
  })

  test.each([
    ["", "It holds no JSON object"],
    ["null", "It holds no JSON object"],
    ['{"a":1} {"b":2}', "Something follows its end"],
    ['{"a":1}\n', undefined],
    ['{"a":1', "It is not whole"],
    ['{"a":nonsense,"b":1}', "It is damaged"],
  ])("%p is told of", (text, fault) => {
    expect(split(Buffer.from(text)).fault).toBe(fault)
  })

  test("bytes of any kind are taken without a throw", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[]",:\\\n\0 a1"messages"'), maxLength: 200 }),
        pieceBytes,
        (text, size) => {
          const bytes = Buffer.from(`{"messages":[${text}`)
          const { elements, header } = split(bytes, size)
          expect(JSON.parse(header)).toBeObject()
          const ends = elements.map(({ offset, length }) => offset + length)
          for (const [at, { offset }] of elements.entries())
            expect(offset).toBeGreaterThanOrEqual(ends[at - 1] ?? 0)
        },
      ),
      { numRuns: 500 },
    )
  })
})
