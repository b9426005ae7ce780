import type { Node } from "typescript/unstable/ast"
import * as is from "typescript/unstable/ast/is"
import { type Declared, memberName } from "./declarations.ts"

/** The Markdown of one declaration: its comment, its form, its members; `link` gives the place of another by its name. */
export function describe(
  { name, node, mentions }: Declared,
  link: (name: string) => string | undefined,
): string {
  const parts = [`## ${name}`, comment(node)]
  if (is.isInterfaceDeclaration(node) || is.isClassDeclaration(node)) {
    parts.push(code(oneLine(uncommented(node).split("{\n")[0] ?? "").replace(/^(export|declare) /, "")))
    const members = [...node.members].filter((member) => memberName(member) !== undefined)
    parts.push(table(members.filter((member) => !isCalled(member))))
    for (const member of members.filter(isCalled))
      parts.push(`### ${name}.${memberName(member)}`, code(signature(member)), comment(member))
  } else if (is.isVariableDeclaration(node)) parts.push(code(`const ${uncommented(node)}`))
  else if (is.isFunctionDeclaration(node)) parts.push(code(signature(node)))
  else parts.push(code(uncommented(node).replace(/^export /, "")))
  const seen = mentions.flatMap((other) => {
    const place = link(other)
    return place === undefined ? [] : [`[${other}](${place})`]
  })
  if (seen.length > 0) parts.push(`See also: ${seen.join(", ")}.`)
  return parts.filter((part) => part !== "").join("\n\n")
}

/** The first sentence of a declaration's comment. */
export function summary(node: Node): string {
  return inline(/^[\s\S]*?[.;:](?=\s|$)/.exec(comment(node))?.[0].replace(/[;:]$/, ".") ?? comment(node))
}

/** A doc comment as Markdown, its tags as sentences. */
function comment(node: Node): string {
  const at = is.isVariableDeclaration(node) ? (node.parent?.parent ?? node) : node
  const before = at.getSourceFile().text.slice(at.pos, at.getStart())
  const raw = [...before.matchAll(/\/\*\*([\s\S]*?)\*\//g)].at(-1)?.[1] ?? ""
  const lines = raw.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
  return lines
    .join("\n")
    .trim()
    .replace(/\s*@param (\w+)\s+(?:- )?/g, "\n\n`$1`: ")
    .replace(/\s*@throws /g, "\n\nThrows: ")
    .replace(/\s*@returns? /g, "\n\nReturns: ")
    .trim()
}

function isCalled(member: Node): boolean {
  return is.isMethodSignatureDeclaration(member) || is.isMethodDeclaration(member)
}

/** Properties as a table, since most are options and fields. */
function table(members: readonly Node[]): string {
  if (members.length === 0) return ""
  const rows = members.map((member) => {
    const type = member.forEachChild((child) => (is.isTypeNode(child) ? child : undefined))
    const text = type ? oneLine(uncommented(type)) : ""
    const optional = new RegExp(`${memberName(member)}\\?`).test(uncommented(member).split(":")[0] ?? "")
      ? "?"
      : ""
    return `| \`${memberName(member)}${optional}\` | ${text && `\`${text.replaceAll("|", "\\|")}\``} | ${inline(comment(member)).replace(/(?<!\\)\|/g, "\\|")} |`
  })
  return ["| name | type | |", "| --- | --- | --- |", ...rows].join("\n")
}

/** A function or method without its body. */
function signature(node: Node): string {
  const text = uncommented(node)
  const body = node.forEachChild((child) => (is.isBlock(child) ? child : undefined))
  const bare = body ? text.slice(0, text.length - uncommented(body).length) : text
  return oneLine(bare).replace(/^(?:(?:export|async|override) )*(function)?\s*\*?\s*/, (_, word) =>
    word ? "function " : "",
  )
}

function uncommented(node: Node): string {
  return node
    .getText()
    .replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, "")
    .replace(/\s*\/\/.*$/gm, "")
}

function inline(text: string): string {
  return text.replace(/\s*\n+\s*/g, " ")
}

function oneLine(text: string): string {
  return inline(text).trim().replace(/\( /g, "(").replace(/,? \)/g, ")")
}

function code(text: string): string {
  return `\`\`\`ts\n${text.trim()}\n\`\`\``
}
