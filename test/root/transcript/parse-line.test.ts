import { expect, test } from "bun:test"
import fc from "fast-check"
import { mayHoldSeveral, parseLine } from "../../../src/root/transcript/parse-line.ts"

const values = (bytes: Buffer): unknown[] => parseLine(bytes).values.map(({ value }) => value)
const line = (of: unknown): Buffer => Buffer.from(JSON.stringify(of))
const LINE = fc
  .record({ type: fc.constantFrom("user", "assistant"), text: fc.string({ unit: "grapheme" }) })
  .map(({ type, text }) => ({ type, message: { type: "text", text }, also: [{ id: text }], at: 1 }))

test("a whole value is what JSON.parse makes of it, and lies where it says", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("", "\r", "  ", "\t"), (text, end) => {
      const bytes = Buffer.from(text + end)
      const [found] = parseLine(bytes).values
      expect(found?.value).toEqual(JSON.parse(text))
      const lies = bytes.subarray(found?.start, (found?.start ?? 0) + (found?.length ?? 0))
      expect(JSON.parse(lies.toString())).toEqual(JSON.parse(text))
    }),
  )
})

test("of a line that was cut anywhere with a whole one behind it the whole one is read, and the rest told of", () => {
  fc.assert(
    fc.property(LINE, LINE, fc.nat(), (first, second, at) => {
      const cut = line(first)
      const length = at % cut.length
      const { values, fault } = parseLine(Buffer.concat([cut.subarray(0, length), line(second)]))
      expect(values.at(-1)?.value).toEqual(second)
      // Only what ends where the line was cut can be taken for a line of its own.
      for (const { start, length: bytes } of values.slice(0, -1)) expect(start + bytes).toBe(length)
      expect(fault === undefined).toBe(length === 0)
      expect(values.at(-1)?.start).toBe(length)
    }),
  )
})

test("two whole values on one line are both read", () => {
  expect(values(Buffer.concat([line({ type: 1 }), line({ type: 2 })]))).toEqual([{ type: 1 }, { type: 2 }])
})

test("what begins as a line does within a text is no line", () => {
  const within = { type: "user", text: 'a quote \\" and {"type":"fake"}' }
  const both = Buffer.concat([Buffer.from('{"type":"cut'), line(within), line({ type: 2 })])
  expect(values(both)).toEqual([within, { type: 2 }])
})

test("NULs around a value are passed over, and told of", () => {
  const { values, fault } = parseLine(Buffer.concat([Buffer.alloc(9), line({ type: 1 }), Buffer.alloc(3)]))
  expect(values.map(({ value, start }) => [value, start])).toEqual([[{ type: 1 }, 9]])
  expect(fault).toBe("It holds NUL bytes")
})

test("a byte order mark, an empty line, a line of NULs, and invalid UTF-8", () => {
  const marked = parseLine(Buffer.concat([Buffer.from("\u{feff}"), line({ type: 1 })]))
  expect(marked.values.map(({ value, start }) => [value, start])).toEqual([[{ type: 1 }, 3]])
  expect(marked.fault).toBeUndefined()
  expect(parseLine(Buffer.from(" \r"))).toEqual({ values: [] })
  expect(parseLine(Buffer.alloc(5))).toEqual({ values: [], fault: "It holds NUL bytes" })
  const invalid = Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
  expect(values(invalid)).toEqual([{ type: "\u{fffd}\u{fffd}" }])
})

test("what is no JSON at all gives nothing, and never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const parsed = parseLine(Buffer.from(bytes))
      expect(parsed.values.length > 0 || parsed.fault !== undefined || bytes.every(isBlank)).toBe(true)
    }),
  )
})

function isBlank(byte: number): boolean {
  return [0x20, 0x0d, 0x09].includes(byte)
}

test("a line may hold several where more than one thing in it begins as lines do", () => {
  const cut = '{"type":"queue-operation","content":"cu'
  expect(mayHoldSeveral(Buffer.from(`${cut}{"type":"user"}`))).toBe(true)
  expect(mayHoldSeveral(Buffer.from(`${cut}t"}`))).toBe(false)
})
