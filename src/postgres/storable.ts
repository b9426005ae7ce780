/** A text as PostgreSQL can store it: without NULs, and without half a surrogate pair. */
export function storable(text: string): string {
  const whole = text.toWellFormed()
  return whole.includes("\0") ? whole.replaceAll("\0", "") : whole
}
