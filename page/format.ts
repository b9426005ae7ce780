import { fieldsOf } from "../src/record/extract.ts"

/** Text of an unknown value; nothing where it is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : ""
}

/** A number of an unknown value; 0 where it is none. */
export function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences are control characters
const TERMINAL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g

/** What a terminal would show of a program's output: colours and other sequences are left out. */
export function plain(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(TERMINAL, "")
    .replace(/^.*\r(?!$)/gm, "")
    .replace(CONTROL, "")
}

/** Markdown that would only be in the way: fences and ticks of code, signs of headings and quotes at a line's beginning, emphasis around words. */
const MARKUP =
  /^[ \t]*`{3,}[^`\n]*$|(?<!`)(`+)(?!`)(.*?[^`])\1(?!`)|^[ \t]*(?:#{1,6} |> ?)+|(?<![\p{L}\p{N}_*])([*_]{1,3})(?=\S)(.*?\S)\3(?![\p{L}\p{N}_*])/gmu

/** The beginning of a text on one line, without the signs of Markdown. */
export function firstLine(text: string): string {
  return plain(text.slice(0, 400))
    .replace(MARKUP, (_, _ticks, code?: string, _signs?: string, words?: string) => code ?? words ?? "")
    .trim()
    .replace(/\s+/g, " ")
    .slice(0, 160)
}

function valid(ms: unknown): ms is number {
  return typeof ms === "number" && Number.isFinite(ms) && ms > 0 && ms < 8.64e15
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" })
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" })
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" })
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })

/** A day and time in full; nothing for what is no time. */
export function fullTime(ms: unknown): string {
  return valid(ms) ? FULL.format(ms) : ""
}

/** Hours and minutes; with the day where it is another than today. */
export function shortTime(ms: unknown, now = Date.now()): string {
  if (!valid(ms)) return ""
  return sameDay(ms, now) ? TIME.format(ms) : `${dayOf(ms, now)}, ${TIME.format(ms)}`
}

/** Hours and minutes alone. */
export function clock(ms: unknown): string {
  return valid(ms) ? TIME.format(ms) : ""
}

/** A day; with the year where it is another than this one. */
export function dayOf(ms: unknown, now = Date.now()): string {
  if (!valid(ms)) return "No date"
  if (sameDay(ms, now)) return "Today"
  if (sameDay(ms, now - 86_400_000)) return "Yesterday"
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear()
  return (sameYear ? DAY : DAY_OF_YEAR).format(ms)
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

/** How long a `{ start, end }` took; nothing where it has no sensible end. */
export function duration(time: unknown): string {
  const { start, end } = fieldsOf(time)
  return valid(start) && valid(end) && end > start ? span(end - start) : ""
}

/** A stretch of ms as people read it. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  const seconds = Math.round((ms % 60_000) / 1000)
  if (minutes < 60) return `${minutes} min ${seconds} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A count with at most three digits and k, M or G. */
export function short(count: number): string {
  for (const [unit, factor] of [
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const)
    if (Math.abs(count) >= factor * 0.9995) {
      const value = count / factor
      return `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} ${unit}`
    }
  return String(Math.round(count))
}

/** US dollars, with as many digits as small sums need. */
export function money(dollars: number): string {
  if (dollars === 0) return "$0"
  return `$${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`
}

/** A size in bytes. */
export function bytes(count: number): string {
  return `${short(count)}B`.replace(/ (?=B)/, " ").replace(/^(\d+)B$/, "$1 B")
}

/** A count with its noun. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString()} ${noun}${count === 1 ? "" : "s"}`
}

/** What lies under a session: the work of its agents, and what was left by going back. */
export function nested(children: number, branches: number): string {
  const agents = children - branches
  return [
    ...(agents > 0 ? [plural(agents, "agent")] : []),
    ...(branches > 0 ? [`${branches} ${branches === 1 ? "branch" : "branches"}`] : []),
  ].join(", ")
}

/** The last name of a path. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path
}
