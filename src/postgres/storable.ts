/** A text as PostgreSQL can hold it beside a body: without NUL, and without half a surrogate pair. */
export function storable(text: string): string {
  const whole = text.toWellFormed()
  return whole.includes("\0") ? whole.replaceAll("\0", "") : whole
}
