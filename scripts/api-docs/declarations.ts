import { join, relative } from "node:path"
import type { Node } from "typescript/unstable/ast"
import * as is from "typescript/unstable/ast/is"
import { API, type Checker, type Project, SymbolFlags } from "typescript/unstable/async"

const ROOT = join(import.meta.dir, "..", "..")

/** One thing that a user of the package meets: exported, or a type that something exported gives or takes. */
export interface Declared {
  readonly name: string
  /** Its file, relative to `src/`. */
  readonly file: string
  readonly node: Node
  /** The entry points that export it; none where it is only met as a type. */
  readonly entries: readonly string[]
  /** The names of others that its public part mentions. */
  readonly mentions: readonly string[]
}

/** Everything that the package's entry points export, with the types that these mention, by name. */
export async function declarations(entries: Readonly<Record<string, string>>): Promise<Declared[]> {
  const api = new API({ cwd: ROOT })
  try {
    const config = join(ROOT, "scripts", "api-docs", "tsconfig.json")
    const project = (await api.updateSnapshot({ openProjects: [config] })).getProject(config)
    if (!project) throw new Error(`no project in ${config}`)
    return await collect(project, entries)
  } finally {
    await api.close()
  }
}

async function collect(project: Project, entries: Readonly<Record<string, string>>): Promise<Declared[]> {
  const { checker, program } = project
  const all = new Map<string, Declared & { entries: string[]; mentions: string[] }>()
  const add = async (symbol: Symbol, entry?: string): Promise<string | undefined> => {
    const target = symbol.flags & SymbolFlags.Alias ? await checker.getAliasedSymbol(symbol) : symbol
    const node = await target.declarations[0]?.resolve(project)
    const path = node?.getSourceFile().fileName
    if (!node || !path?.startsWith(join(ROOT, "src")) || !isDeclared(node)) return undefined
    const name = entry ? symbol.name : target.name
    const known = all.get(name)
    if (known) {
      if (known.node !== node) throw new Error(`two things are called ${name}: in ${known.file} and ${path}`)
      if (entry) known.entries.push(entry)
      return name
    }
    const made = {
      name,
      file: relative(join(ROOT, "src"), path),
      node,
      entries: entry ? [entry] : [],
      mentions: [] as string[],
    }
    all.set(name, made)
    const used = new Set<string>()
    for (const at of typeNames(node)) {
      const mentioned = await checker.getSymbolAtLocation(at)
      const other = mentioned && (await add(mentioned))
      if (other !== undefined && other !== name) used.add(other)
    }
    made.mentions.push(...used)
    return name
  }
  for (const [entry, file] of Object.entries(entries)) {
    const source = await program.getSourceFile(join(ROOT, file))
    const symbol = source && (await checker.getSymbolAtLocation(source))
    if (!symbol) throw new Error(`${file} exports nothing`)
    for (const exported of await checker.getExportsOfModule(symbol)) await add(exported, entry)
  }
  return [...all.values()]
}

type Symbol = NonNullable<Awaited<ReturnType<Checker["resolveName"]>>>

function isDeclared(node: Node): boolean {
  return (
    is.isInterfaceDeclaration(node) ||
    is.isClassDeclaration(node) ||
    is.isTypeAliasDeclaration(node) ||
    is.isFunctionDeclaration(node) ||
    is.isVariableDeclaration(node)
  )
}

/** The names of types in the part of a declaration that users see: no bodies, nothing private, no constructors. */
function typeNames(node: Node): Node[] {
  const found: Node[] = []
  const look = (at: Node): undefined => {
    if (is.isBlock(at) || is.isConstructorDeclaration(at) || isPrivate(at)) return
    if (is.isTypeReferenceNode(at)) found.push(at.typeName)
    else if (is.isExpressionWithTypeArguments(at)) found.push(at.expression)
    at.forEachChild(look)
  }
  node.forEachChild(look)
  return found
}

/** The name of a member of a class or interface, `undefined` for what users do not call by one: `#private`, `[Symbol.x]`, constructors. */
export function memberName(node: Node): string | undefined {
  const isMember =
    is.isPropertySignatureDeclaration(node) ||
    is.isMethodSignatureDeclaration(node) ||
    is.isPropertyDeclaration(node) ||
    is.isMethodDeclaration(node) ||
    is.isGetAccessorDeclaration(node)
  return isMember && is.isIdentifier(node.name) ? node.name.text : undefined
}

function isPrivate(node: Node): boolean {
  return (
    (is.isPropertyDeclaration(node) || is.isMethodDeclaration(node) || is.isGetAccessorDeclaration(node)) &&
    is.isPrivateIdentifier(node.name)
  )
}
