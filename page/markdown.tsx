import type { Token, Tokens } from "marked"
import type { ComponentChildren } from "preact"
import { safeAddress } from "./address.ts"
import { Code } from "./code.tsx"
import { lex } from "./markdown-lexer.ts"

/** Deeper nesting than this is meant to break something. */
const DEEPEST = 40
const lexed = new WeakMap<object, readonly Token[]>()

/**
 * Markdown as elements. HTML in it stays text, pictures are named and not loaded, links lead only to web pages and mail.
 * @param owner what the text belongs to, under which its tokens are remembered
 */
export function Markdown({ text, owner }: { text: string; owner: object }) {
  const tokens = tokensOf(text, owner)
  if (!tokens) return <Code text={text} wrap />
  return <div class="prose">{blocks(tokens, 0)}</div>
}

function tokensOf(text: string, owner: object): readonly Token[] | undefined {
  const known = lexed.get(owner)
  if (known) return known
  const tokens = lex(text)
  if (tokens) lexed.set(owner, tokens)
  return tokens
}

function blocks(tokens: readonly Token[], depth: number): ComponentChildren {
  if (depth > DEEPEST) return tokens.map(({ raw }) => raw).join("")
  return tokens.map((token) => block(token as Tokens.Generic, depth + 1))
}

function block(token: Tokens.Generic, depth: number): ComponentChildren {
  switch (token.type) {
    case "space":
    case "def":
      return null
    case "heading": {
      // A message's own headings stand below those of the page.
      const Heading = `h${Math.min(6, Number(token.depth) + 2)}` as "h3"
      return <Heading>{inline(token.tokens, depth)}</Heading>
    }
    case "paragraph":
      return <p>{inline(token.tokens, depth)}</p>
    case "code":
      return <Code text={String(token.text)} language={String(token.lang ?? "")} />
    case "blockquote":
      return <blockquote>{blocks(token.tokens ?? [], depth)}</blockquote>
    case "list":
      return list(token as Tokens.List, depth)
    case "table":
      return table(token as Tokens.Table, depth)
    case "hr":
      return <hr />
    case "text":
      return token.tokens ? inline(token.tokens, depth) : decode(token.text)
    default:
      return <p class="raw">{token.raw}</p>
  }
}

function list({ ordered, start, items }: Tokens.List, depth: number): ComponentChildren {
  const rows = items.map((item) => (
    <li class={item.task ? "task" : undefined}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} disabled aria-label="done" />}
      {blocks(
        item.tokens.filter(({ type }) => type !== "checkbox"),
        depth,
      )}
    </li>
  ))
  return ordered ? <ol start={Number(start) || 1}>{rows}</ol> : <ul>{rows}</ul>
}

function table({ header, rows, align }: Tokens.Table, depth: number): ComponentChildren {
  const cells = (row: readonly Tokens.TableCell[], Cell: "th" | "td") => (
    <tr>
      {row.map((cell, index) => (
        <Cell class={align[index] ? `align-${align[index]}` : undefined}>{inline(cell.tokens, depth)}</Cell>
      ))}
    </tr>
  )
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>{cells(header, "th")}</thead>
        <tbody>{rows.map((row) => cells(row, "td"))}</tbody>
      </table>
    </div>
  )
}

function inline(tokens: readonly Token[] | undefined, depth: number): ComponentChildren {
  if (!tokens) return null
  if (depth > DEEPEST) return tokens.map(({ raw }) => raw).join("")
  return tokens.map((token) => span(token as Tokens.Generic, depth + 1))
}

function span(token: Tokens.Generic, depth: number): ComponentChildren {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens, depth)}</strong>
    case "em":
      return <em>{inline(token.tokens, depth)}</em>
    case "del":
      return <del>{inline(token.tokens, depth)}</del>
    case "codespan":
      return <code>{token.text}</code>
    case "br":
      return <br />
    case "link":
      return <Link href={String(token.href)}>{inline(token.tokens, depth)}</Link>
    case "image":
      return <Link href={String(token.href)}>Image: {String(token.text) || "without a name"}</Link>
    case "escape":
    case "text":
      return token.tokens ? inline(token.tokens, depth) : decode(token.text)
    default:
      return token.raw
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: "\u00a0" }

/** Writers of Markdown escape what they mean as text. */
function decode(text: unknown): string {
  return String(text).replace(/&(amp|lt|gt|quot|nbsp|#39);/g, (whole, name) =>
    name === "#39" ? "'" : (ENTITIES[name] ?? whole),
  )
}

/** A link out, or its text where it leads nowhere good. */
function Link({ href, children }: { href: string; children: ComponentChildren }) {
  const address = safeAddress(href)
  if (address === undefined)
    return (
      <span class="dead-link" title={href}>
        {children}
      </span>
    )
  return (
    <a href={address} title={address} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  )
}
