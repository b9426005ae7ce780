import { useEffect, useState } from "preact/hooks"
import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import { type Api, objects } from "./api.ts"
import { bytes, numberOf, plain, plural, textOf } from "./format.ts"
import { Icon } from "./icons.tsx"
import { Empty, Failure, Loading } from "./notice.tsx"
import { formatRoute, type Route } from "./route.ts"
import { SourceMark, sourceName } from "./source-mark.tsx"

/** What is told of a place's state. */
const STATES: Readonly<Record<string, string>> = {
  indexed: "Indexed",
  read: "Indexed while this server runs",
  missing: "Nothing there",
}
/** More problems than this are only counted. */
const MOST = 100

/** The places that are read, one after another as they are looked at: what is there, and what cannot be read. */
export function SourcesView({ api, home }: { api: Api; home: Route }) {
  const [reports, setReports] = useState<readonly JsonObject[]>([])
  const [state, setState] = useState<"loading" | "done" | "error">("loading")
  const [error, setError] = useState<unknown>()
  const [looks, setLooks] = useState(0)
  useEffect(() => {
    document.title = "Sources · sessiondex"
    const end = new AbortController()
    const load = async (): Promise<void> => {
      setState("loading")
      setReports([])
      try {
        for await (const report of api.lines("source", end.signal)) setReports((known) => [...known, report])
        setState("done")
      } catch (reason) {
        if (end.signal.aborted) return
        setError(reason)
        setState("error")
      }
    }
    void load()
    return () => end.abort()
  }, [api, looks])
  const again = (): void => setLooks(looks + 1)
  return (
    <article class="overview sources">
      <header>
        <a class="icon-button back" href={formatRoute(home)} aria-label="Back to the list">
          <Icon name="back" />
        </a>
        <h1>Sources</h1>
        <p class="faint">The histories that are read where they lie, and what cannot be read of them.</p>
      </header>
      {reports.map((report) => (
        <Source key={textOf(report.place)} report={report} />
      ))}
      {state === "loading" && <Loading what="Looking at each history" />}
      {state === "error" && <Failure title="The sources could not be loaded" error={error} onRetry={again} />}
      {state === "done" && reports.length === 0 && (
        <Empty title="No sources">
          <p>Nothing is read.</p>
        </Empty>
      )}
      {state === "done" && (
        <button type="button" class="quiet" onClick={again}>
          Look again
        </button>
      )}
    </article>
  )
}

function Source({ report }: { report: JsonObject }) {
  const source = textOf(report.source)
  const problems = objects(report.problems)
  const sessions = numberOf(report.sessions)
  const state = textOf(report.state)
  return (
    <section class="card source" aria-label={`${sourceName(source)}, ${textOf(report.place)}`}>
      <header>
        <h2>
          <SourceMark source={source} />
          {sourceName(source)}
        </h2>
        {state !== "missing" && (
          <p class="readout">
            {sessions > 0 ? (
              <a href={formatRoute({ source })}>{plural(sessions, "session")}</a>
            ) : (
              plural(sessions, "session")
            )}
            <span class="faint">{bytes(numberOf(report.bytes))}</span>
          </p>
        )}
      </header>
      <p class="path">{plain(textOf(report.place))}</p>
      <p class="faint">
        {problems.length === 0 && "Everything can be read. "}
        {STATES[state] ?? state}.
      </p>
      {problems.length > 0 && <Problems problems={problems} />}
    </section>
  )
}

function Problems({ problems }: { problems: readonly JsonObject[] }) {
  return (
    <details open={problems.length <= 3}>
      <summary>
        <span class="warning" aria-hidden="true" />
        {plural(problems.length, "problem")}
      </summary>
      <ul class="problems">
        {problems.slice(0, MOST).map((problem) => {
          const { path, code, message } = fieldsOf(problem)
          return (
            <li>
              <span class="path">{plain(textOf(path))}</span>
              <span>
                {plain(textOf(message))} <span class="tag">{textOf(code)}</span>
              </span>
            </li>
          )
        })}
      </ul>
      {problems.length > MOST && <p class="faint">and {(problems.length - MOST).toLocaleString()} more</p>}
    </details>
  )
}
