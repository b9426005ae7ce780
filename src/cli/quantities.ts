import { InvalidArgumentError } from "commander"

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const
const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i
const POWERS = ["", "k", "m", "g", "t"]
const DURATION = /^(\d+(?:\.\d+)?)\s*([hdwmy])$/
const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24, w: 7 * 24, m: 30 * 24, y: 365 * 24 }
const HOUR_MS = 3_600_000

/** Bytes as people read them, in powers of a thousand. */
export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** Reads a size from the command line, in bytes: `500`, `2GB`, `1.5 MiB`. */
export function bytes(text: string): number {
  const [, number = "", power = "", binary = ""] = SIZE.exec(text.trim()) ?? []
  if (number === "" || (binary !== "" && power === ""))
    throw new InvalidArgumentError("It must be a size, as 500MB or 2GB.")
  return Math.round(Number(number) * (binary ? 1024 : 1000) ** POWERS.indexOf(power.toLowerCase()))
}

/** Reads a duration from the command line, in ms: `12h`, `90d`, `6w`, `3m` (of 30 days), `1y` (of 365). */
export function duration(text: string): number {
  const [, number = "", unit = ""] = DURATION.exec(text.trim()) ?? []
  if (number === "") throw new InvalidArgumentError("It must be a duration, as 12h, 90d, 6w, 3m or 1y.")
  return Number(number) * (HOURS[unit] ?? 0) * HOUR_MS
}

/** Whether `duration` can read it. */
export function isDuration(text: string): boolean {
  return DURATION.test(text.trim())
}

/** Reads a count from the command line. */
export function count(text: string): number {
  const value = Number(text)
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("It must be a whole number from 0.")
  return value
}

/** So many of something. */
export function many(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`
}
