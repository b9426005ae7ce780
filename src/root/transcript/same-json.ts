/** Whether two values are equal as JSON, with their fields in the same order. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  const others = Object.keys(b)
  return (
    keys.length === others.length &&
    keys.every((key, at) => key === others[at] && sameJson(fieldOf(a, key), fieldOf(b, key)))
  )
}

function fieldOf(value: object, key: string): unknown {
  return (value as Record<string, unknown>)[key]
}
