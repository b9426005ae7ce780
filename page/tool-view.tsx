import type { ComponentChildren } from "preact"
import { fieldsOf, isJsonObject, type JsonObject } from "../src/record/extract.ts"
import { laidOut } from "../src/record/json-text.ts"
import { objects } from "./api.ts"
import { Code } from "./code.tsx"
import { compare, type DiffView, readPatch } from "./diff.ts"
import { Diff, Sums } from "./diff-view.tsx"
import { FilePart } from "./file-view.tsx"
import { Fold, type Folding } from "./fold.tsx"
import { baseName, duration, plain, textOf } from "./format.ts"
import { languageOf } from "./highlight.ts"
import { formatRoute } from "./route.ts"
import { TodoList } from "./todo-view.tsx"

const STATES = ["pending", "running", "completed", "error"]
const read = new WeakMap<JsonObject, DiffView | null>()

/** A call of a tool on one line: its name, what it was about, how it ended, how long it took; unfolded, all of it. */
export function ToolPart({ part, ...folding }: { part: JsonObject } & Folding) {
  const state = fieldsOf(part.state)
  const status = textOf(state.status)
  const diff = diffOf(state)
  return (
    <Fold
      {...folding}
      className="tool"
      name={textOf(part.tool) || "tool"}
      detail={plain(titleOf(textOf(part.tool), state))}
      time={duration(state.time)}
      state={STATES.includes(status) ? status : "unknown"}
      extra={diff && <Sums added={diff.added} removed={diff.removed} />}
    >
      <ToolBody tool={textOf(part.tool)} state={state} diff={diff} />
    </Fold>
  )
}

function titleOf(tool: string, state: JsonObject): string {
  const input = fieldsOf(state.input)
  const told = textOf(state.title)
  if (told !== "") return told
  for (const field of ["description", "command", "filePath", "path", "pattern", "query", "url", "prompt"])
    if (textOf(input[field]) !== "") return textOf(input[field]).slice(0, 200)
  return tool === "" ? laidOut(state).replace(/\s+/g, " ").slice(0, 200) : ""
}

/** What an edit changed: what the tool says, or what its input shows. */
function diffOf(state: JsonObject): DiffView | undefined {
  const known = read.get(state)
  if (known !== undefined) return known ?? undefined
  const input = fieldsOf(state.input)
  const told = textOf(fieldsOf(state.metadata).diff)
  let diff = told === "" ? undefined : readPatch(told)
  if (!diff && typeof input.oldString === "string" && typeof input.newString === "string")
    diff = compare(input.oldString, input.newString)
  read.set(state, diff ?? null)
  return diff
}

function ToolBody({ tool, state, diff }: { tool: string; state: JsonObject; diff: DiffView | undefined }) {
  const input = fieldsOf(state.input)
  const metadata = fieldsOf(state.metadata)
  const path = textOf(input.filePath) || textOf(input.path) || textOf(metadata.filepath)
  const output = plain(textOf(state.output))
  const todos = tool.startsWith("todo") ? objects(input.todos ?? metadata.todos) : []
  const child = textOf(metadata.sessionId) || textOf(metadata.sessionID)
  const said: ComponentChildren[] = []
  if (textOf(input.command) !== "")
    said.push(<Code text={plain(textOf(input.command))} language="bash" label="Command" />)
  else if (diff) said.push(<Diff diff={diff} label={path || "Changes"} />)
  else if (textOf(metadata.diff) !== "")
    said.push(<Code text={plain(textOf(metadata.diff))} language="diff" label={path || "Changes"} />)
  else if (typeof input.content === "string" && path !== "")
    said.push(<Code text={plain(input.content)} language={languageOf(path)} label={path} />)
  else if (todos.length > 0) said.push(<TodoList todos={todos} />)
  else if (isJsonObject(state.input) && Object.keys(state.input).length > 0)
    said.push(<Code text={laidOut(state.input)} language="json" label="Input" />)
  else if (textOf(state.raw) !== "") said.push(<Code text={plain(textOf(state.raw))} label="Input" />)
  if (child !== "")
    said.push(
      <p class="note">
        <a href={formatRoute({ session: child })}>Open this agent's session</a>
      </p>,
    )
  // A list of todos is what the tool answers too.
  if (output.trim() !== "" && todos.length === 0)
    said.push(
      <Code
        text={output}
        language={tool === "read" ? languageOf(path) : ""}
        label={tool === "read" && path !== "" ? `Output · ${baseName(path)}` : "Output"}
      />,
    )
  if (textOf(state.error) !== "") said.push(<Code text={plain(textOf(state.error))} label="Error" />)
  for (const file of objects(state.attachments)) said.push(<FilePart part={file} />)
  return <>{said.length > 0 ? said : <p class="note faint">Nothing else is recorded.</p>}</>
}
