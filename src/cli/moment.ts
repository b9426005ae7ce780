import { InvalidArgumentError } from "commander"
import { duration, isDuration } from "./quantities.ts"

const MS = /^\d{5,16}$/
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/

/** What `moment` takes, for help. */
export const MOMENT = '2026-11-22, "2026-11-22 16:30" (your time), or 30d (ago)'

/** Reads a time from the command line: a date, in the system's time zone unless it names its own; how long ago, as `30d`; or ms since 1970. */
export function moment(text: string): number {
  if (MS.test(text)) return Number(text)
  if (isDuration(text)) return Date.now() - duration(text)
  const [, day, clock = "00:00", zone = ""] = DATE.exec(text.trim()) ?? []
  const midnight = Date.parse(`${day}T00:00Z`)
  const value = Date.parse(`${day}T${clock}${zone}`)
  // Some days that do not exist are read as those of the month after.
  if (!Number.isFinite(value) || !new Date(midnight).toISOString().startsWith(String(day)))
    throw new InvalidArgumentError(
      'It must be a date, as 2026-11-22 or "2026-11-22 16:30", how long ago, as 30d, or ms since 1970.',
    )
  return value
}
