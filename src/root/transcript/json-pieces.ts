import { isJsonObject } from "../../record/extract.ts"

/** About how many letters a piece has, and how many elements of a list are written at a time. */
const LETTERS = 64 * 1024
const ELEMENTS = 256
/** How deep objects are taken apart: large values have their lists no deeper. */
const DEPTH = 3

/** Yields the text that `JSON.stringify` gives of plain JSON in pieces, so that it is never in memory as a whole. */
export function* jsonPieces(value: unknown): Generator<string> {
  let piece = ""
  for (const bit of bitsOf(value, DEPTH)) {
    piece += bit
    if (piece.length < LETTERS) continue
    yield piece
    piece = ""
  }
  if (piece !== "") yield piece
}

function* bitsOf(value: unknown, depth: number): Generator<string> {
  if (Array.isArray(value) && value.length > ELEMENTS) yield* listBits(value)
  else if (depth > 0 && isJsonObject(value)) {
    let before = "{"
    for (const [name, inner] of Object.entries(value)) {
      if (inner === undefined) continue
      yield `${before}${JSON.stringify(name)}:`
      yield* bitsOf(inner, depth - 1)
      before = ","
    }
    yield before === "{" ? "{}" : "}"
  } else yield JSON.stringify(value)
}

function* listBits(list: readonly unknown[]): Generator<string> {
  for (let start = 0; start < list.length; start += ELEMENTS) {
    yield start === 0 ? "[" : ","
    yield JSON.stringify(list.slice(start, start + ELEMENTS)).slice(1, -1)
  }
  yield "]"
}
