import type { ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import { CopyCommand } from "./copy.tsx"
import { Dialog } from "./dialog.tsx"
import { compare, type DiffView } from "./diff.ts"
import { Diff, Sums } from "./diff-view.tsx"
import { Fold } from "./fold.tsx"
import { fullTime, nested, numberOf, plain, plural, span, textOf } from "./format.ts"
import { Icon } from "./icons.tsx"
import { useModel } from "./model.ts"
import { Failure, Loading } from "./notice.tsx"
import { resumeCommand } from "./resume.ts"
import { formatRoute, type Route } from "./route.ts"
import { isBranch } from "./sessions.ts"
import { SourceMark, sourceName } from "./source-mark.tsx"
import { TodoList } from "./todo-view.tsx"
import type { Transcript } from "./transcript.ts"
import { TranscriptView } from "./transcript-view.tsx"

type Panel = "todos" | "changes" | "agents"

/** One session: what it is about, what lies beside it, its messages. */
export function SessionView({
  transcript,
  route,
  marked,
  writable,
  onRemove,
}: {
  transcript: Transcript
  route: Route
  /** Whether there are several sources, so that this one's is told. */
  marked: boolean
  /** The place whose sessions can be removed. */
  writable: string | undefined
  onRemove: (id: string) => Promise<void>
}) {
  const { session = {}, source, origin, todos, children } = useModel(transcript)
  const [panel, setPanel] = useState<Panel>()
  const [removing, setRemoving] = useState(false)
  const title =
    plain(textOf(session.title).trim()) || (transcript.state === "loading" ? "…" : "Untitled session")
  const summary = fieldsOf(session.summary)
  const time = fieldsOf(session.time)
  const parent = textOf(session.parentID)
  const done = todos.filter(({ status }) => status === "completed").length
  const directory = textOf(session.directory)
  const resume = resumeCommand(source, session)
  const lasted = numberOf(time.updated) - numberOf(time.created)
  useEffect(() => {
    document.title = `${title} · sessiondex`
  }, [title])

  const button = (name: Panel, label: ComponentChildren) => (
    <button
      type="button"
      aria-expanded={panel === name}
      aria-controls="panel"
      onClick={() => setPanel(panel === name ? undefined : name)}
    >
      {label}
    </button>
  )
  return (
    <article class="session-view">
      <header class="session-header">
        <div class="session-heading">
          <a
            class="icon-button back"
            href={formatRoute({})}
            aria-label="Back to the list"
            title="Back to the list (Esc)"
          >
            <Icon name="back" />
          </a>
          <div>
            {parent !== "" && (
              <a class="parent" href={formatRoute({ session: parent })}>
                ↰ the session it was started from
              </a>
            )}
            <h1 title={title}>{title}</h1>
          </div>
        </div>
        <p class="session-facts">
          {marked && source !== "" && (
            <span class="of-source">
              <SourceMark source={source} /> {sourceName(source)}
            </span>
          )}
          {directory !== "" && <span class="path">{plain(directory)}</span>}
          <span>{fullTime(time.created)}</span>
          {lasted > 60_000 && <span>{span(lasted)}</span>}
          {textOf(session.version) !== "" && <span>version {plain(textOf(session.version))}</span>}
          {numberOf(time.archived) > 0 && <span class="tag">archived</span>}
        </p>
        <div class="session-tools">
          {todos.length > 0 && button("todos", `Todos ${done}/${todos.length}`)}
          {mayHaveChanges(source, summary.files) &&
            button(
              "changes",
              <>
                Changes <Sums added={numberOf(summary.additions)} removed={numberOf(summary.deletions)} />
              </>,
            )}
          {children.length > 0 && button("agents", nested(children.length, children.filter(isBranch).length))}
          {resume !== undefined && <CopyCommand label="Copy resume command" command={resume} />}
          {writable !== undefined && writable === origin && (
            <button type="button" class="danger" onClick={() => setRemoving(true)}>
              Remove…
            </button>
          )}
        </div>
        {panel !== undefined && (
          <section class="panel" id="panel">
            {panel === "todos" && <TodoList todos={todos} />}
            {panel === "changes" && <Changes transcript={transcript} />}
            {panel === "agents" && (
              <ul class="agents">
                {children.map((child) => (
                  <li>
                    <a href={formatRoute({ session: textOf(child.id) })}>
                      {plain(textOf(child.title)) || "Untitled session"}
                    </a>
                  </li>
                ))}
              </ul>
            )}
          </section>
        )}
      </header>
      <TranscriptView transcript={transcript} route={route} />
      {removing && (
        <Removal
          title={title}
          children={children.length}
          onRemove={() => onRemove(transcript.id)}
          onClose={() => setRemoving(false)}
        />
      )}
    </article>
  )
}

/** Whether there may be changed files to show: agents that keep none never say how many there are. */
function mayHaveChanges(source: string, files: unknown): boolean {
  return files === undefined ? ["opencode", "json"].includes(source) : numberOf(files) > 0
}

/** The files that a session changed, each folded. */
function Changes({ transcript }: { transcript: Transcript }) {
  const { diffs } = transcript
  const [error, setError] = useState<unknown>()
  const load = (): void => {
    setError(undefined)
    transcript.loadDiffs().catch(setError)
  }
  useEffect(load, [transcript])
  if (error !== undefined)
    return <Failure title="The changes could not be loaded" error={error} onRetry={load} />
  if (!diffs) return <Loading what="Loading changes" />
  if (diffs.length === 0) return <p class="faint">No changed files are recorded.</p>
  return (
    <>
      {diffs.map((diff) => (
        <FileChange diff={diff} few={diffs.length <= 3} />
      ))}
    </>
  )
}

function FileChange({ diff, few }: { diff: JsonObject; few: boolean }) {
  const [open, setOpen] = useState(few)
  const file = plain(textOf(diff.file)) || "file"
  return (
    <Fold
      open={open}
      onToggle={() => setOpen(!open)}
      name={<span class="path">{file}</span>}
      detail={textOf(diff.status)}
      extra={<Sums added={numberOf(diff.additions)} removed={numberOf(diff.deletions)} />}
    >
      <Compared file={file} diff={diff} />
    </Fold>
  )
}

const compared = new WeakMap<JsonObject, DiffView | null>()

function Compared({ file, diff }: { file: string; diff: JsonObject }) {
  let view = compared.get(diff)
  if (view === undefined) {
    view = compare(textOf(diff.before), textOf(diff.after)) ?? null
    compared.set(diff, view)
  }
  if (view === null) return <p class="note faint">These files are too large to compare here.</p>
  if (view.lines.length === 0) return <p class="note faint">The texts are the same, or were not recorded.</p>
  return <Diff diff={view} label={file} />
}

/** Asks before anything is deleted. */
function Removal({
  title,
  children,
  onRemove,
  onClose,
}: {
  title: string
  children: number
  onRemove: () => Promise<void>
  onClose: () => void
}) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const cancel = useRef<HTMLButtonElement>(null)
  useEffect(() => cancel.current?.focus(), [])
  const remove = async (): Promise<void> => {
    setBusy(true)
    try {
      await onRemove()
      onClose()
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  return (
    <Dialog title="Remove this session?" onClose={onClose}>
      <p>
        <strong>{title}</strong>
        {children > 0 ? `, the ${plural(children, "session")} of its agents` : ""} and all messages are
        deleted from the disk. This cannot be undone.
      </p>
      {error !== undefined && <Failure title="It could not be removed" error={error} />}
      <div class="dialog-actions">
        <button type="button" ref={cancel} onClick={onClose}>
          Keep it
        </button>
        <button type="button" class="danger" disabled={busy} onClick={() => void remove()}>
          {busy ? "Removing…" : "Remove"}
        </button>
      </div>
    </Dialog>
  )
}
