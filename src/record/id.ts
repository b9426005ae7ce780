/** The kinds of record that have ids of their own. */
export type IdKind = "session" | "message" | "part"

const PREFIX: Record<IdKind, string> = { session: "ses", message: "msg", part: "prt" }
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const RANDOM_LENGTH = 14
const FORM = /^(ses|msg|prt)_([0-9a-f]{12})([0-9A-Za-z]{14})$/
const LOW_48_BITS = (1n << 48n) - 1n
/** Ids keep 36 bits of milliseconds, so they wrap around every 2^36 ms, about 795 days. */
const WRAP = 2 ** 36

let lastTime = 0
let counter = 0

function randomBase62(): string {
  let text = ""
  for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH))) text += BASE62.charAt(byte % 62)
  return text
}

/**
 * Makes a new id in opencode's scheme: a prefix, 12 hex digits, 14 random base-62 characters.
 *
 * The hex digits are the low 48 bits of (milliseconds × 4096 + counter); the counter starts at 1 in each millisecond. A
 * session's bits are inverted, so that newer ids sort first. Ids of one process sort in the order they were made, unless its
 * clock was set back or the milliseconds wrapped around in between. So messages are ordered by their times, and parts by
 * `partsInOrder`.
 */
export function createId(kind: IdKind, now: number = Date.now()): string {
  if (now !== lastTime) {
    lastTime = now
    counter = 0
  }
  counter++
  const value = BigInt(now) * 4096n + BigInt(counter)
  const bits = (kind === "session" ? ~value : value) & LOW_48_BITS
  return `${PREFIX[kind]}_${bits.toString(16).padStart(12, "0")}${randomBase62()}`
}

/**
 * The time (ms since 1970) at which an id was made, or `undefined` for ids of another form.
 *
 * An id keeps only 36 bits of milliseconds, which last wrapped around on 2026-08-14T11:19:55Z. So several times fit, 2^36 ms
 * apart; the one nearest to `near` (by default: now) is given.
 */
export function idTime(id: string, near: number = Date.now()): number | undefined {
  const form = FORM.exec(id)
  const hex = form?.[2]
  if (!form || !hex) return undefined
  const stored = BigInt(`0x${hex}`)
  const bits = form[1] === PREFIX.session ? ~stored & LOW_48_BITS : stored
  const time = Number(bits >> 12n)
  return time + Math.max(0, Math.round((near - time) / WRAP)) * WRAP
}
