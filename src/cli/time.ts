/** The last time whose year has four digits in every time zone, ms since 1970. */
export const LAST_TIME = Date.UTC(9999, 11, 30)
const MINUTE_MS = 60_000

/** A time of a record as people read it, in the system's time zone: `2026-11-22 16:30:05`. Nothing for what is no time of a clock. */
export function clock(ms: unknown): string {
  if (typeof ms !== "number" || !(ms > 0) || ms > LAST_TIME) return ""
  const offset = new Date(ms).getTimezoneOffset() * MINUTE_MS
  return new Date(ms - offset).toISOString().slice(0, 19).replace("T", " ")
}

/** As `clock`, for the column of a table: always as wide, and blank where there is no time. */
export function clockColumn(ms: unknown): string {
  return clock(ms).padEnd(19)
}
