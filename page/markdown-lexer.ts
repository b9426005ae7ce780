import { Lexer, type Token } from "marked"

/** Longer texts are shown as they are: nobody reads them as prose. */
const LONGEST = 50_000
/** Emphasis and links are not looked for in longer paragraphs: for some texts that takes time by the square of their length. */
const LONGEST_PARAGRAPH = 5_000
/** A line of so many quotes and lists within one another is meant to break something. */
const NESTED = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))){40}/m

/** Takes Markdown apart; `undefined` where it is better shown as it is. Never holds the page, whatever the text is. */
export function lex(text: string): readonly Token[] | undefined {
  if (text.length > LONGEST || NESTED.test(text)) return undefined
  const lexer = new Lexer({ gfm: true, breaks: true })
  try {
    lexer.blockTokens(text.replace(/\r\n|\r/g, "\n"), lexer.tokens)
    for (const { src, tokens } of lexer.inlineQueue)
      if (src.length <= LONGEST_PARAGRAPH) lexer.inlineTokens(src, tokens)
      else tokens.push({ type: "text", raw: src, text: src, escaped: false })
  } catch {
    // Nested so deeply that the parser gave up.
    return undefined
  }
  return lexer.tokens
}
