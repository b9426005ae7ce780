import { expect, test } from "bun:test"
import { readFields } from "../../src/file/fields-reader.ts"
import { decode } from "../../src/file/reader.ts"
import { type FileStat, fileSystem } from "../../src/file/system.ts"
import { isJsonObject, messageFields, partFields, sessionFields } from "../../src/record/extract.ts"
import { TimeSlice } from "../../src/time-slice.ts"
import { Random } from "../support/random.ts"

const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
const ROUNDS = LONG ? 40_000 : 600
const STAT: FileStat = {
  kind: "file",
  size: 2 ** 21,
  mtimeNs: 0n,
  ctimeNs: 0n,
  inode: 1n,
  device: 1n,
  mode: 0o600,
  uid: 0,
  gid: 0,
}

/** Of longer strings a large record gives the beginning alone, in UTF-16 units; those below are shorter, or far longer. */
const COMPARED = 1_000

/** What the index takes from a body. */
const fieldsOf = (body: Record<string, unknown>): object =>
  Object.fromEntries(
    Object.entries({ ...sessionFields(body), ...messageFields(body), ...partFields(body) }).map(
      ([name, value]) => [name, typeof value === "string" ? value.slice(0, COMPARED) : value],
    ),
  )

/** What a small record of these bytes would give. */
function wanted(bytes: Buffer): object | "CORRUPT" {
  try {
    const value: unknown = JSON.parse(decode(bytes))
    return isJsonObject(value) ? fieldsOf(value) : "CORRUPT"
  } catch {
    return "CORRUPT"
  }
}

/** What a large one gives, read in pieces that are cut anywhere. */
async function streamed(bytes: Buffer, random: Random): Promise<object | string> {
  const most = random.pick([1, 7, 1_000, 60_000])
  const fs = {
    ...fileSystem,
    *readPieces(): Generator<Buffer> {
      for (let at = 0; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + 1 + random.below(most))
        yield bytes.subarray(at, end)
        at = end
      }
    },
  }
  const result = await readFields(fs, "record.json", STAT, Number.MAX_SAFE_INTEGER, new TimeSlice())
  return "body" in result ? fieldsOf(result.body) : result.fault.code
}

/** JSON of any shape, with strings and depths beyond what is kept as it passes. */
function anyJson(random: Random, depth: number): string {
  const space = random.pick(["", "", " ", "\n\t"])
  const list = (times: number, one: () => string): string =>
    Array.from({ length: random.below(times) }, one).join(`${space},${space}`)
  switch (depth > 0 ? random.below(8) : 2 + random.below(6)) {
    case 0:
      return `[${space}${list(4, () => anyJson(random, depth - 1))}${space}]`
    case 1:
      return `{${list(4, () => `${anyString(random)}${space}:${space}${anyJson(random, depth - 1)}`)}}`
    case 2:
      return random.pick(["true", "false", "null"])
    case 3:
      return random.pick([
        "0",
        "-0",
        "1",
        "-12.50",
        "1e5",
        "1E-5",
        "0.1e+3",
        "123456789012345678901",
        "1e999",
      ])
    case 4: {
      const deep = 60 + random.below(10)
      const [open, close] = random.pick([
        ["[", "]"],
        ['{"x":', "}"],
        ['[1,{"y" : ', "},null]"],
      ] as const)
      return open.repeat(deep) + anyJson(random, 0) + close.repeat(deep)
    }
    default:
      return anyString(random)
  }
}

const LETTERS = [
  "a",
  "é",
  "漢",
  "🙂",
  "\\n",
  '\\"',
  "\\\\",
  "\\/",
  "\\u00e9",
  "\\ud83d\\ude42",
  "\\ud83d",
  "]",
  "}",
]

function anyString(random: Random): string {
  const length = random.chance(0.1) ? 4_000 + random.below(300) : random.below(6)
  return `"${Array.from({ length }, () => random.pick(LETTERS)).join("")}"`
}

function record(random: Random): string {
  const fields = [
    `"time":{"created":${random.below(9)}${random.chance(0.5) ? `,"updated":${anyJson(random, 2)}` : ""}}`,
    `"title":"${random.pick(["Title", "é", "\\u00e9", "\\ud83d\\ude42", ""])}"`,
    `"\\u0072ole":"user"`,
    `"type":${anyJson(random, 1)}`,
    ...Array.from({ length: random.below(4) }, () => `${anyString(random)}:${anyJson(random, 3)}`),
  ]
  return `{${fields.sort(() => random.next() - 0.5).join(",")}}`
}

const BYTES = [...'"\\[]{},:0123456789eE+-.tfnul/ \n\r\t'].map((letter) => letter.charCodeAt(0))
const ODD_BYTES = [0x00, 0x01, 0x08, 0x0b, 0x1f, 0x7f, 0x80, 0xa0, 0xc3, 0xe6, 0xf0, 0xff, 0xfe]
const ODD_TEXTS = [
  "\ufeff",
  "\u2028",
  "\u00a0",
  "NaN",
  "Infinity",
  "//",
  "01",
  "1.",
  ".5",
  "+1",
  "\\u12g4",
  "\\x",
  "\\ud83d",
]

/** Some fault, or none. */
function mutated(text: string, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(text)
  for (let times = random.below(3); times > 0; times--) {
    const at = random.below(bytes.length + 1)
    const put = (what: number | string, over = 0): Buffer =>
      Buffer.concat([
        bytes.subarray(0, at),
        typeof what === "number" ? Buffer.of(what) : Buffer.from(what),
        bytes.subarray(at + over),
      ])
    switch (random.below(9)) {
      case 0:
        bytes = bytes.subarray(0, at)
        break
      case 1:
        bytes = put("", 1)
        break
      case 2:
        bytes = put(random.pick(ODD_BYTES), random.below(2))
        break
      case 3:
        bytes = put(random.pick(ODD_TEXTS), random.below(3))
        break
      case 4:
        bytes = Buffer.concat([
          Buffer.from(random.pick(["\ufeff", "\ufeff\ufeff", " \ufeff", "\n", "[", "\0"])),
          bytes,
        ])
        break
      case 5:
        bytes = Buffer.concat([
          bytes,
          Buffer.from(random.pick([" ", "\n", "\0", "x", "{}", "}", ",", "\ufeff", "//"])),
        ])
        break
      case 6: {
        // A bracket of the other kind, where there is one.
        const place = bytes.findIndex(
          (byte, index) => index >= at && "[]{}".includes(String.fromCharCode(byte)),
        )
        if (place >= 0) bytes = Buffer.from(bytes)
        if (place >= 0) bytes[place] = (bytes[place] ?? 0) ^ 0x20
        break
      }
      default:
        bytes = put(random.pick(BYTES), random.below(2))
    }
  }
  return bytes
}

test(
  `of ${ROUNDS} records, whole or broken in any way, a large one gives what a small one does`,
  async () => {
    let whole = 0
    for (let seed = 0; seed < ROUNDS; seed++) {
      const random = new Random(seed)
      const bytes = mutated(record(random), random)
      const expected = wanted(bytes)
      const given = await streamed(bytes, random)
      if (!Bun.deepEquals(given, expected))
        throw new Error(
          `seed ${seed}: ${JSON.stringify(given).slice(0, 300)} instead of ${JSON.stringify(expected).slice(0, 300)}`,
        )
      if (expected !== "CORRUPT") whole++
    }
    // Both happen.
    expect(whole).toBeGreaterThan(ROUNDS / 5)
    expect(ROUNDS - whole).toBeGreaterThan(ROUNDS / 5)
  },
  LONG ? 600_000 : 60_000,
)
