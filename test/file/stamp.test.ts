import { expect, test } from "bun:test"
import { isKnown, isProven, packStamp, sameStamp } from "../../src/file/stamp.ts"
import type { FileStat } from "../../src/file/system.ts"

const SECOND = 1_000_000_000n
const base: FileStat = {
  kind: "file",
  mtimeNs: 5n,
  ctimeNs: 1_795_365_113_159_123_456n,
  size: 700,
  inode: 42n,
  device: 1n,
  mode: 0o600,
  uid: 0,
  gid: 0,
}

test("a stamp is that of one stat and of no other", () => {
  const stamp = packStamp(base, true)
  expect(sameStamp(stamp, 700, base)).toBe(true)
  const others: Partial<FileStat>[] = [
    { mtimeNs: 6n },
    { ctimeNs: base.ctimeNs + 1n },
    { size: 701 },
    { inode: 43n },
  ]
  for (const other of others) expect(sameStamp(stamp, 700, { ...base, ...other })).toBe(false)
  expect(sameStamp(null, 700, base)).toBe(false)
})

test("a stamp younger than the clock's granularity is kept but not known", () => {
  const stamp = packStamp(base, isProven(base, base.ctimeNs + SECOND / 20n))
  expect(isKnown(stamp)).toBe(false)
  expect(sameStamp(stamp, 700, base)).toBe(true)
  expect(isProven(base, base.ctimeNs + SECOND / 10n)).toBe(true)
})

test("where times have no sub-second part the window is two seconds; a future time proves nothing", () => {
  const whole = { ...base, ctimeNs: 1_795_365_113n * SECOND }
  expect(isProven(whole, whole.ctimeNs + SECOND)).toBe(false)
  expect(isProven(whole, whole.ctimeNs + 2n * SECOND)).toBe(true)
  expect(isProven(base, base.ctimeNs - SECOND)).toBe(false)
  expect(isProven(base, undefined)).toBe(false)
})
