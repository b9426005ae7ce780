import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import { laidOut } from "../src/record/json-text.ts"
import { Code } from "./code.tsx"
import { FilePart } from "./file-view.tsx"
import { Fold, type Folding } from "./fold.tsx"
import { duration, firstLine, plain, textOf } from "./format.ts"
import { Markdown } from "./markdown.tsx"
import { ToolPart } from "./tool-view.tsx"

/** One part of a message, by its type; what is not known is shown as it is stored. */
export function PartView({ part, role, ...folding }: { part: JsonObject; role: string } & Folding) {
  switch (part.type) {
    case "text":
      if (part.synthetic === true || part.ignored === true)
        return (
          <Fold {...folding} name="Context" detail={firstLine(textOf(part.text))}>
            <Code text={plain(textOf(part.text))} />
          </Fold>
        )
      return (
        <div class={`text ${role === "user" ? "said" : ""}`}>
          <Markdown text={plain(textOf(part.text))} owner={part} />
        </div>
      )
    case "reasoning":
      return (
        <Fold
          {...folding}
          name="Reasoning"
          detail={firstLine(textOf(part.text))}
          time={duration(part.time)}
          className="reasoning"
        >
          <Markdown text={plain(textOf(part.text))} owner={part} />
        </Fold>
      )
    case "tool":
      return <ToolPart part={part} {...folding} />
    case "file":
      return <FilePart part={part} />
    case "patch": {
      const files = Array.isArray(part.files) ? part.files.map(textOf).filter(Boolean) : []
      return (
        <p class="note">
          <b>Changed</b> {files.length === 0 ? "no files" : files.map((file) => <code>{file}</code>)}
        </p>
      )
    }
    case "agent":
      return (
        <p class="note">
          <b>Agent</b> {textOf(part.name)}
        </p>
      )
    case "subtask":
      return (
        <Fold {...folding} name="Subtask" detail={`${textOf(part.agent)}: ${textOf(part.description)}`}>
          <Code text={plain(textOf(part.prompt))} />
        </Fold>
      )
    case "retry":
      return (
        <p class="note error">
          <b>Tried again</b> {errorText(part.error)}
        </p>
      )
    case "compaction":
      return (
        <p class="note rule">
          <span>The conversation was compacted{part.auto === true ? " by itself" : ""}</span>
        </p>
      )
    default:
      return (
        <Fold {...folding} name={textOf(part.type) || "Part"} detail="of a kind this page does not know">
          <Code text={laidOut(part)} language="json" />
        </Fold>
      )
  }
}

/** What a record says went wrong. */
export function errorText(error: unknown): string {
  if (typeof error === "string") return plain(error)
  const { name, message, data } = fieldsOf(error)
  const says = textOf(message) || textOf(fieldsOf(data).message)
  return plain([textOf(name), says].filter(Boolean).join(": ")) || "unknown error"
}
