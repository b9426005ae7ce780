import { jsonLine } from "../record/json-text.ts"

/** What every escape code begins with. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not reach a terminal
const ESCAPE = /[\u001b\u009b]/
const BREAKS = /\r\n|[\u2028\u2029]/g
/** Control characters, and what turns the direction of the text that follows it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g
/** What can be seen as nothing, or as something else: but for the parts of emoji, and what letters are joined and parted with. */
const UNSEEN = /(\p{RGI_Emoji_Tag_Sequence})|[[\p{DI}\u{fff9}-\u{fffb}]--[\u{ad}\u{200c}\u{200d}\p{VS}]]/gv
const REPLACEMENT = "\u{fffd}"
/** What JSON lets stand in a string, though a terminal obeys it, or a reader of lines takes it for the end of one. */
const RAW = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Text of several lines from a record, made safe to print: escape codes and control characters could drive the terminal. */
export function printable(text: string): string {
  return withoutEscapes(text.replace(BREAKS, "\n")).replace(UNSAFE, REPLACEMENT)
}

/** Without escape codes. What knows them is loaded where there is one: that takes as long as listing a page. */
function withoutEscapes(text: string): string {
  if (!ESCAPE.test(text)) return text
  const { stripVTControlCharacters }: typeof import("node:util") = require("node:util")
  return stripVTControlCharacters(text)
}

/** As `printable`, for what stands in a row: one line, in which nothing is hidden, so that no text passes for a row or an id. */
export function oneLine(text: string): string {
  return printable(text)
    .replace(/[\n\t]/g, " ")
    .replace(UNSEEN, (_, emoji: string | undefined) => emoji ?? REPLACEMENT)
}

/** A value as one line of JSON that is safe to print; what reads it finds the same value. */
export function safeJson(value: unknown): string {
  return escapeJson(jsonLine(value))
}

/** JSON, or a piece of it, with what a terminal obeys spelled as escapes, which stand for the same. */
export function escapeJson(text: string): string {
  // All of these are allowed in strings only.
  return text.replace(RAW, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
}
