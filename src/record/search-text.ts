import { fieldsOf, isJsonObject, type JsonObject } from "./extract.ts"

/**
 * A data URL, whose base64 may be broken into lines. A following line belongs to it only if it is long and looks like base64, or
 * is the padded end of such lines. So a word on the next line stays.
 */
const DATA_URL =
  /data:[\w.+-]+\/[\w.+-]+;base64,[A-Za-z0-9+/]+={0,2}(?:(?:\r?\n(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])(?=[A-Za-z+/]*[0-9])[A-Za-z0-9+/]{40,}={0,2})+(?:\r?\n[A-Za-z0-9+/]+={1,2}(?=\s|$))?)?/g
const LONG = 512
/** A run of `LONG` characters or more that may be base64 without a data URL. */
const LONG_RUN = /[A-Za-z0-9+/]{512,}={0,2}/g
/** What people write does not mix capitals, small letters and digits for so long without a break. */
const LIKE_BASE64 = /^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])/

/** A text as it is searched and shown: without escape codes, NULs and base64 data. */
export function cleanText(text: string): string {
  let clean = text
  if (clean.includes("base64,")) clean = clean.replace(DATA_URL, "")
  if (hasLongRun(clean)) clean = clean.replace(LONG_RUN, (run) => (LIKE_BASE64.test(run) ? "" : run))
  if (clean.includes("\u{1b}") || clean.includes("\u{9b}"))
    clean = process.getBuiltinModule("node:util").stripVTControlCharacters(clean)
  return clean.includes("\0") ? clean.replaceAll("\0", "") : clean
}

/** Whether `LONG_RUN` would match. It looks backwards from where a run would end, and so skips most of a text. */
function hasLongRun(text: string): boolean {
  for (let end = LONG - 1; end < text.length; ) {
    let at = end
    while (at > end - LONG && isBase64(text.charCodeAt(at))) at--
    if (at === end - LONG) return true
    end = at + LONG
  }
  return false
}

function isBase64(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x2f && code <= 0x39) ||
    code === 0x2b
  )
}

function addText(texts: Set<string>, value: unknown): void {
  if (typeof value !== "string") return
  const clean = cleanText(value)
  if (clean !== "") texts.add(clean)
}

/** Adds all strings of a value of any shape, such as a tool's input; in order, however deep they lie. */
function addStrings(texts: Set<string>, value: unknown): void {
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === "object" && next !== null)
      for (const child of Object.values(next).reverse()) waiting.push(child)
    else addText(texts, next)
  }
}

function addFileNames(texts: Set<string>, files: unknown): void {
  if (!Array.isArray(files)) return
  for (const file of files) addText(texts, isJsonObject(file) ? file.file : file)
}

/** The searchable texts of a part, each once: texts, titles, tool inputs and outputs, file names, prompts. */
export function partTexts(part: JsonObject): string[] {
  const texts = new Set<string>()
  addText(texts, part.text)
  if (part.type === "tool") {
    const state = fieldsOf(part.state)
    addText(texts, state.title)
    addStrings(texts, state.input)
    addText(texts, state.raw)
    addStrings(texts, state.output)
    addText(texts, state.error)
  }
  if (part.type === "patch") addFileNames(texts, part.files)
  if (part.type === "file") addText(texts, part.filename)
  if (part.type === "subtask") {
    addText(texts, part.prompt)
    addText(texts, part.description)
  }
  return [...texts]
}

/** The searchable texts of a message without its parts: the file names of its diffs. */
export function messageTexts(message: JsonObject): string[] {
  const texts = new Set<string>()
  addFileNames(texts, fieldsOf(message.summary).diffs)
  return [...texts]
}
