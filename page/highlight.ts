import bash from "highlight.js/lib/languages/bash"
import c from "highlight.js/lib/languages/c"
import cpp from "highlight.js/lib/languages/cpp"
import csharp from "highlight.js/lib/languages/csharp"
import css from "highlight.js/lib/languages/css"
import diff from "highlight.js/lib/languages/diff"
import dockerfile from "highlight.js/lib/languages/dockerfile"
import go from "highlight.js/lib/languages/go"
import ini from "highlight.js/lib/languages/ini"
import java from "highlight.js/lib/languages/java"
import javascript from "highlight.js/lib/languages/javascript"
import json from "highlight.js/lib/languages/json"
import kotlin from "highlight.js/lib/languages/kotlin"
import lua from "highlight.js/lib/languages/lua"
import makefile from "highlight.js/lib/languages/makefile"
import markdown from "highlight.js/lib/languages/markdown"
import nix from "highlight.js/lib/languages/nix"
import php from "highlight.js/lib/languages/php"
import python from "highlight.js/lib/languages/python"
import ruby from "highlight.js/lib/languages/ruby"
import rust from "highlight.js/lib/languages/rust"
import scala from "highlight.js/lib/languages/scala"
import scss from "highlight.js/lib/languages/scss"
import sql from "highlight.js/lib/languages/sql"
import swift from "highlight.js/lib/languages/swift"
import typescript from "highlight.js/lib/languages/typescript"
import xml from "highlight.js/lib/languages/xml"
import yaml from "highlight.js/lib/languages/yaml"
import { createLowlight } from "lowlight"

type Lowlight = ReturnType<typeof createLowlight>

let made: Lowlight | undefined

/** Made when the first code is shown, since reading so many grammars takes a while. */
function lowlight(): Lowlight {
  if (made) return made
  made = createLowlight({
    bash,
    c,
    cpp,
    csharp,
    css,
    diff,
    dockerfile,
    go,
    ini,
    java,
    javascript,
    json,
    kotlin,
    lua,
    makefile,
    markdown,
    nix,
    php,
    python,
    ruby,
    rust,
    scala,
    scss,
    sql,
    swift,
    typescript,
    xml,
    yaml,
  })
  made.registerAlias({
    bash: ["console", "shell", "shellsession", "fish"],
    javascript: ["mts", "cts"],
    xml: ["vue", "svelte"],
    json: ["jsonc", "jsonl", "json5"],
  })
  return made
}

/** Longer texts are not coloured: it would hold the page. */
const LONGEST = 60_000

/** A stretch of code of one colour. */
export interface Span {
  readonly text: string
  readonly kind?: string
}

/** Code cut into coloured stretches; one plain stretch where the language is not known. */
export function highlight(text: string, language: string): readonly Span[] {
  const name =
    language
      .trim()
      .split(/[\s,{:]/)[0]
      ?.toLowerCase() ?? ""
  if (text.length > LONGEST || name === "" || !lowlight().registered(name)) return [{ text }]
  const spans: Span[] = []
  const collect = (node: ReturnType<Lowlight["highlight"]>["children"][number], kind?: string): void => {
    if (node.type === "text") spans.push({ text: node.value, ...(kind !== undefined && { kind }) })
    if (node.type !== "element") return
    const [own] = Array.isArray(node.properties.className) ? node.properties.className : []
    for (const child of node.children) collect(child, typeof own === "string" ? own : kind)
  }
  for (const node of lowlight().highlight(name, text).children) collect(node)
  return spans
}

/** The language that a file's name tells. */
export function languageOf(path: string): string {
  const name = path.split(/[\\/]/).at(-1)?.toLowerCase() ?? ""
  return name.includes(".") ? (name.split(".").at(-1) ?? "") : name
}
