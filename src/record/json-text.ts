import { isJsonObject } from "./extract.ts"

/** No program nests deeper than this on purpose. `JSON.stringify` takes a second for 50,000 levels and then throws. */
const DEEPEST = 1_000

/** Whether a value is nested deeper than `levels`. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false
  if (levels === 0) return true
  for (const child of Object.values(value)) if (isDeeper(child, levels - 1)) return true
  return false
}

/** Writes a value that was parsed from JSON as one line of JSON, however deep it is nested. */
export function jsonLine(value: unknown): string {
  return isDeeper(value, DEEPEST) ? deepJson(value) : JSON.stringify(value)
}

/** Writes JSON for people, with two spaces of indentation; a note stands in for what is nested too deep to be written so. */
export function laidOut(value: unknown): string {
  return isDeeper(value, DEEPEST) ? "(nested too deep to be shown)" : JSON.stringify(value, null, 2)
}

/** Writes what `JSON.stringify` would, without recursion. */
function deepJson(value: unknown): string {
  const written: string[] = []
  /** What is still to be written, the next one last: finished texts, and values. */
  const waiting: (string | { readonly value: unknown })[] = [{ value }]
  const put = (open: string, fields: readonly (readonly [string, unknown])[], close: string): void => {
    written.push(open)
    waiting.push(close)
    for (const [at, [name, child]] of [...fields.entries()].reverse())
      waiting.push({ value: child }, at === 0 ? name : `,${name}`)
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "string") written.push(next)
    else if (Array.isArray(next.value)) {
      const items = next.value.map((child: unknown) => ["", child] as const)
      put("[", items, "]")
    } else if (isJsonObject(next.value)) {
      const fields = Object.entries(next.value).filter(([, child]) => child !== undefined)
      put(
        "{",
        fields.map(([name, child]) => [`${JSON.stringify(name)}:`, child] as const),
        "}",
      )
    } else written.push(JSON.stringify(next.value ?? null))
  }
  return written.join("")
}
