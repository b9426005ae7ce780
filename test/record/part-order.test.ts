import { expect, test } from "bun:test"
import fc from "fast-check"
import { createId } from "../../src/index.ts"
import { sortTexts } from "../../src/record/order.ts"
import { partsInOrder } from "../../src/record/part-order.ts"

/** 2026-08-14T11:19:55.136Z: the 36 bits of milliseconds that ids keep begin anew. */
const WRAP = 26 * 2 ** 36
const DAY = 86_400_000

function made(times: readonly number[]): string[] {
  return times.map((time) => createId("part", time))
}

test("parts made within a year and a month come in the order of their making, on whichever side of the wrap", () => {
  const times = fc.array(fc.integer({ min: 0, max: 396 * DAY }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(fc.integer({ min: -400 * DAY, max: 10 * DAY }), times, (start, offsets) => {
      const ids = made(offsets.toSorted((a, b) => a - b).map((offset) => WRAP + start + offset))
      expect(partsInOrder(sortTexts([...ids]))).toEqual(ids)
    }),
    {
      examples: [
        [-1, [0, 0, 1, 1]],
        [-4000, [0, 3999, 4000, 9000]],
        [1, [0, 1]],
      ],
    },
  )
})

test("the order is one of all ids, hand-made ones among them, and that of their names where none straddles the wrap", () => {
  const standard = fc
    .integer({ min: WRAP - 500 * DAY, max: WRAP + 500 * DAY })
    .map((time) => createId("part", time))
  const id = fc.oneof(
    standard,
    fc.string({ minLength: 1, maxLength: 8 }),
    fc.constantFrom("prt_1", "prt_z", "prt_"),
  )
  fc.assert(
    fc.property(fc.uniqueArray(id, { maxLength: 12 }), (ids) => {
      const names = sortTexts([...ids])
      const ordered = partsInOrder([...names])
      expect(ordered.toSorted()).toEqual(ids.toSorted())
      // A rotation of the names at one place at the most: whatever order they come in makes no difference.
      expect(partsInOrder(sortTexts(ids.toReversed()))).toEqual(ordered)
      expect(ordered.filter((one) => !/^prt_[0-9a-f]{12}/.test(one))).toEqual(
        names.filter((one) => !/^prt_[0-9a-f]{12}/.test(one)),
      )
    }),
  )
  const names = sortTexts([...made([WRAP - 9000, WRAP - 8000]), "prt_hand", "prt_made"])
  expect(partsInOrder([...names])).toEqual(names)
  expect(partsInOrder([])).toEqual([])
})
