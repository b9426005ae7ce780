import { expect, test } from "bun:test"
import { Lexer } from "marked"
import { lex } from "../../page/markdown-lexer.ts"

test("ordinary Markdown is taken apart as its library does", () => {
  const text = `# Head\r\n\r\nA *word*, **two**, \`code\`, [a link](https://a.b "t") and [another][ref].\r
${"-".repeat(60)}

> > quoted
> - [x] done
>   1. first

| a | b |
|---|--:|
| 1 | 2 |

~~~ts
let x = 1
~~~

[ref]: https://c.d
${"* ".repeat(30)}
`
  const tokens = lex(text)
  expect(JSON.stringify(tokens)).toBe(JSON.stringify(new Lexer({ gfm: true, breaks: true }).lex(text)))
})

test("texts that would hold the page for seconds are shown as they are", () => {
  for (const nested of ["> ".repeat(50), "1. ".repeat(5_000), "- ".repeat(100), ">".repeat(3_000)])
    expect(lex(`before\n\n${nested}\n\nbehind`)).toBeUndefined()
  expect(lex("a\n".repeat(30_000))).toBeUndefined()
})

test("in a paragraph without an end no emphasis is looked for, in those beside it it is", () => {
  const long = "_a".repeat(20_000)
  const tokens = lex(`*one*\n\n${long}\n\n*two*`) ?? []
  expect(tokens.flatMap(({ type, raw, ...token }) => ("tokens" in token && token.tokens) || [])).toEqual([
    expect.objectContaining({ type: "em", text: "one" }),
    { type: "text", raw: long, text: long, escaped: false },
    expect.objectContaining({ type: "em", text: "two" }),
  ])
})
