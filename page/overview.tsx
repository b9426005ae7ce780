import type { ComponentChildren } from "preact"
import { useEffect, useMemo, useState } from "preact/hooks"
import { fieldsOf, type JsonObject } from "../src/record/extract.ts"
import { type Api, objects } from "./api.ts"
import { BarChart } from "./bar-chart.tsx"
import { type Filter, filterParameters } from "./filter.ts"
import { bytes, money, numberOf, plain, plural, short } from "./format.ts"
import { Icon } from "./icons.tsx"
import { Empty, Failure, Loading } from "./notice.tsx"
import { formatRoute, type Route } from "./route.ts"
import { SourceMark, sourceName, sourceTone } from "./source-mark.tsx"
import { chart, leading, readUsage, stretchOf, sumsBy, type UsageRow, type UsageSum } from "./usage.ts"

const SPANS: readonly (readonly [string, number | undefined])[] = [
  ["30 days", 30],
  ["90 days", 90],
  ["A year", 365],
  ["All", undefined],
]
/** Models with a colour of their own. */
const MODELS = 5

/** The history as a whole, or a project's: activity, tokens and cost over time. */
export function Overview({
  api,
  filter,
  marked,
  home,
}: {
  api: Api
  filter: Filter
  /** Whether there are several sources. */
  marked: boolean
  /** The list beside it. */
  home: Route
}) {
  const { project, source } = filter
  const [rows, setRows] = useState<readonly UsageRow[]>()
  const [error, setError] = useState<unknown>()
  const [days, setDays] = useState<number | undefined>(90)
  const [again, setAgain] = useState(0)
  useEffect(() => {
    document.title = "sessiondex"
  }, [])
  useEffect(() => {
    const end = new AbortController()
    setRows(undefined)
    setError(undefined)
    api
      .json(`usage?${new URLSearchParams(filterParameters(filter))}`, end.signal)
      .then((body) =>
        setRows(
          objects(body)
            .map(readUsage)
            .filter((row) => row !== undefined),
        ),
      )
      .catch((reason) => end.signal.aborted || setError(reason))
    return () => end.abort()
  }, [api, filter, again])

  return (
    <article class="overview">
      <header>
        <a class="icon-button back" href={formatRoute(home)} aria-label="Back to the list">
          <Icon name="back" />
        </a>
        <h1>
          {source !== undefined && <SourceMark source={source} />}
          {[project && plain(project.name), source !== undefined && sourceName(source)]
            .filter(Boolean)
            .join(" · ") || "Your history"}
        </h1>
        <p class="faint">{saysOf(filter)}</p>
      </header>
      {error !== undefined && (
        <Failure title="The usage could not be loaded" error={error} onRetry={() => setAgain(again + 1)} />
      )}
      {!rows && error === undefined && <Loading what="Adding up the usage" />}
      {rows?.length === 0 && (
        <Empty title="Nothing to draw yet">
          <p>There are no messages with a time.</p>
        </Empty>
      )}
      {rows && rows.length > 0 && (
        <>
          <div class="spans" role="group" aria-label="How much time to show">
            {SPANS.map(([label, count]) => (
              <button type="button" aria-pressed={days === count} onClick={() => setDays(count)}>
                {label}
              </button>
            ))}
          </div>
          <Charts rows={rows} days={days} marked={marked && source === undefined} />
        </>
      )}
      {project === undefined && source === undefined && <Measure api={api} />}
    </article>
  )
}

function saysOf({ project, source }: Filter): string {
  if (project) return project.path === "" ? "What happened in this project." : plain(project.path)
  return source === undefined ? "Choose a session, or search with /." : "What this agent did."
}

function Charts({
  rows,
  days,
  marked,
}: {
  rows: readonly UsageRow[]
  days: number | undefined
  marked: boolean
}) {
  const stretch = useMemo(() => stretchOf(rows, days), [rows, days])
  const shown = useMemo(
    () => rows.filter(({ day }) => stretch && day >= stretch.from && day <= stretch.to),
    [rows, stretch],
  )
  if (!stretch) return null
  const models = leading(shown, MODELS)
  const { from, to } = stretch
  const sources = marked ? [...new Set(rows.map((row) => row.source))].sort() : []
  const activity =
    sources.length > 1
      ? chart(shown, from, to, sources.map(sourceName), (row) =>
          sources.map((source) => (source === row.source ? row.messages : 0)),
        )
      : chart(shown, from, to, ["Prompts", "Answers"], ({ model, messages }) =>
          model === "" ? [messages, 0] : [0, messages],
        )
  const tokens = chart(shown, from, to, ["Read", "Read from cache", "Written"], (row) => [
    row.fresh,
    row.cached,
    row.output,
  ])
  const others = shown.some(({ model }) => model !== "" && !models.includes(model))
  const cost = chart(shown, from, to, [...models, ...(others ? ["Others"] : [])], (row) =>
    row.model === ""
      ? []
      : [...models, "Others"].map((model) => (model === nameOf(row, models) ? row.cost : 0)),
  )
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  const copies = sum(shown.map((row) => row.copies ?? 0))
  return (
    <>
      <BarChart
        title="Messages"
        total={plural(sum(activity.totals), "message")}
        chart={activity}
        {...(sources.length > 1 && { tones: sources.map(sourceTone) })}
        format={(n) => n.toLocaleString()}
      />
      <BarChart title="Tokens" total={short(sum(tokens.totals))} chart={tokens} format={short} />
      {sum(cost.totals) > 0 ? (
        <BarChart title="Cost by model" total={money(sum(cost.totals))} chart={cost} format={money} />
      ) : (
        <p class="faint">No costs are recorded for this time.</p>
      )}
      {sources.length > 1 && <Sources rows={shown} />}
      <Models rows={shown} />
      {copies > 0 && (
        <p class="faint">
          {plural(copies, "answer")} that {copies === 1 ? "lies" : "lie"} in another session too, as after a
          fork, {copies === 1 ? "is" : "are"} counted there alone.
        </p>
      )}
    </>
  )
}

function nameOf({ model }: UsageRow, models: readonly string[]): string {
  return models.includes(model) ? model : "Others"
}

/** What each model did, in figures. */
function Models({ rows }: { rows: readonly UsageRow[] }) {
  const answers = rows.filter(({ model }) => model !== "")
  return (
    <Figures
      title="Models"
      what="Model"
      counted={["Answers"]}
      sums={sumsBy(answers, ({ model }) => model).map((sum) => ({ ...sum, counts: [sum.answers] }))}
    />
  )
}

/** What was done with each agent, in figures. */
function Sources({ rows }: { rows: readonly UsageRow[] }) {
  return (
    <Figures
      title="Sources"
      what="Source"
      counted={["Prompts", "Answers"]}
      sums={sumsBy(rows, ({ source }) => source).map((sum) => ({
        ...sum,
        counts: [sum.prompts, sum.answers],
      }))}
      name={(source) => (
        <>
          <SourceMark source={source} /> {sourceName(source)}
        </>
      )}
    />
  )
}

function Figures({
  title,
  what,
  counted,
  sums,
  name = (key) => key,
}: {
  title: string
  what: string
  counted: readonly string[]
  sums: readonly (UsageSum & { readonly counts: readonly number[] })[]
  name?: (key: string) => ComponentChildren
}) {
  if (sums.length === 0) return null
  return (
    <section class="card">
      <h2>{title}</h2>
      <div class="scroll-x" tabIndex={0} role="region" aria-label={`${title} in figures`}>
        <table class="figures">
          <thead>
            <tr>
              {[what, ...counted, "Read", "From cache", "Written", "Cost"].map((head) => (
                <th>{head}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sums.map(({ key, counts, fresh, cached, output, cost }) => (
              <tr>
                <th scope="row">{name(key)}</th>
                {counts.map((count) => (
                  <td>{count.toLocaleString()}</td>
                ))}
                <td>{short(fresh)}</td>
                <td>{short(cached)}</td>
                <td>{short(output)}</td>
                <td>{money(cost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

/** Files and bytes, which are counted only when someone asks: that looks at every file. */
function Measure({ api }: { api: Api }) {
  const [stats, setStats] = useState<JsonObject | "counting">()
  const [error, setError] = useState<unknown>()
  const count = (): void => {
    setStats("counting")
    setError(undefined)
    api
      .json("stats")
      .then((body) => setStats(fieldsOf(body)))
      .catch((reason) => {
        setStats(undefined)
        setError(reason)
      })
  }
  if (stats === "counting") return <Loading what="Counting files" />
  if (error !== undefined)
    return <Failure title="The files could not be counted" error={error} onRetry={count} />
  if (!stats)
    return (
      <button type="button" class="quiet" onClick={count}>
        Count files and bytes
      </button>
    )
  return (
    <section class="card">
      <h2>On the disk</h2>
      <dl class="facts">
        {Object.entries(fieldsOf(stats.kinds)).flatMap(([kind, value]) => {
          const { files, bytes: size } = fieldsOf(value)
          const many = numberOf(files)
          return many + numberOf(size) === 0
            ? []
            : [
                <div>
                  <dt>{kind}</dt>
                  <dd>
                    {plural(many, "file")}
                    {numberOf(size) > 0 && `, ${bytes(numberOf(size))}`}
                  </dd>
                </div>,
              ]
        })}
      </dl>
    </section>
  )
}
