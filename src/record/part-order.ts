/** Ids as `createId` makes them. They share a prefix and a length, so they sort as their numbers do. */
const FORM = /^prt_([0-9a-f]{12})[0-9A-Za-z]{14}$/
/** Half of the range of an id's 48 bits: about 397 days. */
const HALF = 2 ** 47

/**
 * Puts the parts of one message in the order they were made, by their ids alone. Ids sort by time until their milliseconds wrap
 * around (every 2^36 ms, last on 2026-08-14T11:19:55Z). If two neighbours are more than half the range apart, the message was
 * written across a wrap: the second of them and all after it were made before the wrap, so they come first. Ids of other forms
 * stay with these, in the order of their names.
 * @param names ids in the order of `compareText`; the same array may be returned
 */
export function partsInOrder(names: string[]): string[] {
  let first: number | undefined
  let last: number | undefined
  for (let at = 0; first === undefined && at < names.length; at++) first = numberOf(names[at])
  for (let at = names.length - 1; last === undefined && at >= 0; at--) last = numberOf(names[at])
  if (first === undefined || last === undefined || last - first <= HALF) return names
  let before = first
  let cut: number | undefined
  for (const name of names) {
    const number = numberOf(name)
    if (number === undefined) continue
    if (number - before > HALF) cut = number
    before = number
  }
  if (cut === undefined) return names
  const start = cut
  const isAfter = (name: string): boolean => (numberOf(name) ?? start) < start
  return [...names.filter((name) => !isAfter(name)), ...names.filter(isAfter)]
}

function numberOf(id: string | undefined): number | undefined {
  const hex = id === undefined ? undefined : FORM.exec(id)?.[1]
  return hex === undefined ? undefined : Number.parseInt(hex, 16)
}
