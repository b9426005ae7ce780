import type { ParsedTokenInfo, Tokenizer } from "@streamparser/json"
import { StoreError } from "../errors.ts"

type Token = ParsedTokenInfo
type TokenName = "{" | "}" | "[" | "]" | ":" | ","
/** A piece of grammar: takes one token after another, and returns what it found when it has seen enough. */
type Grammar<T = void> = Generator<undefined, T, Token>

/** The kinds of record that an export holds. */
export type ExportedKind = "session" | "message" | "part"
/** Told where each record lies, in bytes of the JSON text. */
export interface Found {
  begin(at: number): void
  end(kind: ExportedKind, at: number): void
}

/**
 * The shape of an agent's export, `{ info, messages: [{ info, parts: [] }] }`: takes the tokens of the JSON text and tells where
 * each record lies, holding none. What else stands in it is passed over.
 * @throws StoreError `INVALID_RECORD` where it is not of that shape, or an `info` comes after what it is about
 */
export function* exportShape(found: Found): Grammar {
  const seen = new Set<string>()
  yield* members(yield, function* (name, first) {
    once(seen, name, first)
    if (name === "info") yield* record(first, "session", found)
    else if (name !== "messages") yield* anyValue(first)
    else if (!seen.has("info")) throw notAnExport("the session's info must come before its messages", first)
    else yield* elements(first, (message) => messageShape(message, found))
  })
  for (const name of ["info", "messages"])
    if (!seen.has(name)) throw notAnExport(`it has no ${JSON.stringify(name)}`)
}

function* messageShape(opening: Token, found: Found): Grammar {
  const seen = new Set<string>()
  yield* members(opening, function* (name, first) {
    once(seen, name, first)
    if (name === "info") yield* record(first, "message", found)
    else if (name !== "parts") yield* anyValue(first)
    else if (!seen.has("info")) throw notAnExport("a message's info must come before its parts", first)
    else yield* elements(first, (part) => record(part, "part", found))
  })
  if (!seen.has("info")) throw notAnExport("a message has no info", opening)
}

function* record(first: Token, kind: ExportedKind, found: Found): Grammar {
  if (!isPunctuation(first, "{")) throw notAnExport(`a ${kind} is not an object`, first)
  found.begin(first.offset)
  const last = yield* anyValue(first)
  found.end(kind, last.offset + 1)
}

function* members(opening: Token, visit: (name: string, first: Token) => Grammar<unknown>): Grammar {
  expect(opening, "{")
  let token: Token = yield
  if (isPunctuation(token, "}")) return
  for (;;) {
    const name = token.value
    if (typeof name !== "string" || isPunctuation(token))
      throw notAnExport("a field's name is missing", token)
    expect(yield, ":")
    yield* visit(name, yield)
    token = yield
    if (isPunctuation(token, "}")) return
    expect(token, ",")
    token = yield
  }
}

function* elements(opening: Token, visit: (first: Token) => Grammar<unknown>): Grammar {
  expect(opening, "[")
  let token: Token = yield
  if (isPunctuation(token, "]")) return
  for (;;) {
    yield* visit(token)
    token = yield
    if (isPunctuation(token, "]")) return
    expect(token, ",")
    token = yield
  }
}

/** Passes over a value and gives its last token; whether it is well-formed inside shows when it is parsed. */
function* anyValue(first: Token): Grammar<Token> {
  let depth = 0
  for (let token = first; ; token = yield) {
    if (isPunctuation(token, "{") || isPunctuation(token, "[")) depth++
    else if (isPunctuation(token, "}") || isPunctuation(token, "]")) depth--
    else if (depth === 0 && isPunctuation(token)) throw notAnExport("a value is missing", token)
    if (depth === 0) return token
  }
}

const PUNCTUATION: readonly TokenName[] = ["{", "}", "[", "]", ":", ","]

/** Whether a token is punctuation, and that one; a string may hold the same character. */
function isPunctuation(token: Token, name?: TokenName): boolean {
  if (token.token >= PUNCTUATION.length) return false
  return name === undefined || PUNCTUATION[token.token] === name
}

function expect(token: Token, name: TokenName): void {
  if (!isPunctuation(token, name)) throw notAnExport(`a ${name} is missing`, token)
}

function once(seen: Set<string>, name: string, token: Token): void {
  if (seen.has(name)) throw notAnExport(`${JSON.stringify(name)} stands in it twice`, token)
  seen.add(name)
}

function notAnExport(reason: string, token?: Token): StoreError {
  const where = token ? ` (byte ${token.offset} of the JSON)` : ""
  return new StoreError("INVALID_RECORD", `This is not a session's export: ${reason}${where}`, {
    hint: "An export is { info, messages: [{ info, parts: [] }] }, as the agent's own export command writes it.",
  })
}

/** Lets a tokenizer's tokens run through a grammar; gives a function that tells whether the grammar has seen all it wants. */
export function drive(
  tokenizer: Tokenizer,
  grammar: Grammar,
  onToken: (offset: number) => void,
): () => boolean {
  let done = grammar.next().done ?? false
  tokenizer.onToken = (token) => {
    if (done) throw notAnExport("something follows it", token)
    onToken(token.offset)
    done = grammar.next(token).done ?? false
  }
  return () => done
}
