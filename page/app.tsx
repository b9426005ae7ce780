import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import type { Api } from "./api.ts"
import { listen } from "./events.ts"
import type { Filter } from "./filter.ts"
import { Filters } from "./filters.tsx"
import { plural } from "./format.ts"
import { Health } from "./health.ts"
import { Help } from "./help.tsx"
import { Icon } from "./icons.tsx"
import { IndexingView } from "./indexing-view.tsx"
import { useKeys } from "./keys.ts"
import { useModel } from "./model.ts"
import { Overview } from "./overview.tsx"
import { type ProjectGroup, Projects } from "./projects.ts"
import { formatRoute, parseRoute, type Route, segment } from "./route.ts"
import { Search } from "./search.ts"
import { Hits, hitRoute } from "./search-view.tsx"
import { SessionTree } from "./session-list.tsx"
import { SessionView } from "./session-view.tsx"
import { SessionList } from "./sessions.ts"
import { SourcesView } from "./sources-view.tsx"
import { ThemeButton, useTheme } from "./theme.tsx"
import { Transcript } from "./transcript.ts"

/** The whole page: the list or what was found on one side, a session or the overview on the other. */
export function App({ api }: { api: Api }) {
  const route = useRoute()
  const theme = useTheme()
  const [list] = useState(() => new SessionList(api))
  const [search] = useState(() => new Search(api))
  const [help, setHelp] = useState(false)
  const [live, setLive] = useState(true)
  const [health] = useState(() => new Health(api))
  const [projects] = useState(() => {
    const asked = new Projects(api)
    // Before the usage, which takes its turn and may take long.
    void asked.load()
    return asked
  })
  const { groups, byID } = useModel(projects)
  const { chosen, choose } = useChosen(route)
  const filter = useFilter(chosen, groups)
  const transcript = useTranscript(api, route)
  const box = useRef<HTMLInputElement>(null)
  const [cursor, setCursor] = useState(-1)
  useModel(list)
  const { sources, writable, problems, indexing, finished } = useModel(health)
  const { query, hits, state } = useModel(search)
  const searching = query.trim() !== ""
  const marked = sources.length > 1

  useEffect(() => {
    if (!filter) return
    void list.show(filter)
    search.ask(search.query, { ...search.scope, filter })
  }, [list, search, filter])
  useEffect(() => search.follow(route.session), [search, route.session])
  useEffect(() => {
    if (route.session !== undefined) list.reveal(route.session)
  }, [list, route.session, list.count])
  useEffect(() => void health.look(), [health])
  useEffect(() => health.follow(state === "searching"), [health, state])
  // What a search lacked since it was not indexed yet is looked for when it is.
  useEffect(() => {
    if (search.partial === "indexing") void search.again()
  }, [search, finished])

  const shown = useRef(transcript)
  shown.current = transcript
  useEffect(
    () =>
      listen(api.url("event"), {
        connected: (again) => {
          setLive(true)
          if (!again) return
          void list.refresh()
          void projects.load()
          void health.look()
          shown.current?.refresh()
        },
        lost: () => setLive(false),
        change: (change) => {
          list.apply(change)
          shown.current?.apply(change)
          if (change.kind === "project" || change.kind === "store") void projects.load()
        },
      }),
    [api, list, health, projects],
  )

  const home = homeOf(chosen)
  const open = (id: string): void => go({ session: id })
  const focusList = (): void => document.getElementById("sessions")?.focus()
  /** Gives the list the focus and the key that it would have acted on. */
  const passToList = (key: "j" | "k"): void => {
    focusList()
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })
    document.getElementById("sessions")?.dispatchEvent(event)
  }
  const neighbour = (step: 1 | -1): void => {
    const { rows } = list
    let index = rows.findIndex(({ kind, key }) => kind === "session" && key === route.session)
    do index += step
    while (rows[index]?.kind === "day")
    const row = rows[index]
    if (row?.kind === "session") open(row.key)
  }
  const type = (text: string): void => {
    setCursor(-1)
    search.ask(text, { ...search.scope, filter })
  }
  useKeys({
    "/": () => {
      box.current?.focus()
      box.current?.select()
    },
    "?": () => setHelp(true),
    t: theme.next,
    h: () => go({ ...home, overview: true }),
    s: () => go({ ...home, sources: true }),
    l: focusList,
    "[": () => neighbour(-1),
    "]": () => neighbour(1),
    Escape: () => {
      if (searching) type("")
      else if (route.session !== undefined || route.overview || route.sources) go(home)
      focusList()
    },
    j: () => (route.session === undefined ? passToList("j") : false),
    k: () => (route.session === undefined ? passToList("k") : false),
  })
  const pressInBox = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    if (step !== 0 && hits.length > 0) setCursor(Math.max(-1, Math.min(hits.length - 1, cursor + step)))
    else if (event.key === "Enter") {
      const hit = hits[Math.max(cursor, 0)]
      if (!hit) return
      setCursor(Math.max(cursor, 0))
      location.hash = hitRoute(hit, query)
    } else if (event.key === "Escape") {
      type("")
      box.current?.blur()
      focusList()
    } else return
    event.preventDefault()
  }

  return (
    <div
      class={`app ${route.session === undefined && !route.overview && !route.sources ? "at-list" : "at-main"}`}
    >
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the messages
      </button>
      <nav class="side" aria-label="History">
        <div class="brand">
          <a href={formatRoute(home)} class="wordmark">
            sessiondex
          </a>
          <a
            class="icon-button"
            href={formatRoute({ ...home, overview: true })}
            aria-label="Overview"
            title="Overview (h)"
          >
            <Icon name="chart" />
          </a>
          <a
            class={`icon-button ${problems > 0 ? "warned" : ""}`}
            href={formatRoute({ ...home, sources: true })}
            aria-label={problems > 0 ? `Sources, ${plural(problems, "problem")}` : "Sources"}
            title="Sources (s)"
          >
            <Icon name="sources" />
          </a>
          <ThemeButton {...theme} />
          <button
            type="button"
            class="icon-button"
            aria-label="Keys and help"
            title="Keys and help (?)"
            onClick={() => setHelp(true)}
          >
            <Icon name="help" />
          </button>
        </div>
        <search class="search">
          <Icon name="search" />
          <input
            ref={box}
            type="search"
            placeholder="Search titles and messages"
            aria-label="Search titles and messages"
            autocomplete="off"
            spellcheck={false}
            maxLength={500}
            role="combobox"
            list={undefined}
            aria-expanded={searching}
            aria-controls="hits"
            aria-activedescendant={searching && cursor >= 0 ? `hit-${cursor}` : undefined}
            value={query}
            onInput={({ currentTarget }) => type(currentTarget.value)}
            onKeyDown={pressInBox}
          />
          <kbd>/</kbd>
        </search>
        <Filters
          sources={sources}
          source={chosen.source}
          onSource={(source) => choose({ ...chosen, source })}
          groups={groups ?? []}
          project={chosen.project}
          onProject={(project) => choose({ ...chosen, project })}
        />
        {searching ? (
          <Hits
            search={search}
            session={route.session}
            marked={marked}
            cursor={cursor}
            onCursor={setCursor}
            onEverywhere={
              chosen.project === undefined && chosen.source === undefined
                ? undefined
                : () => choose(EVERYTHING)
            }
          />
        ) : (
          <SessionTree list={list} selected={route.session} projects={byID} marked={marked} onOpen={open} />
        )}
        {indexing && <IndexingView indexing={indexing} />}
        <p class="foot" role="status">
          <span class={`live ${live ? "" : "lost"}`} aria-hidden="true" />
          {live ? "Live" : "Connection lost, trying again"}
          <span class="foot-end">
            {(list.complete || list.count > 0) && (
              <>
                {list.count.toLocaleString()}
                {list.complete ? "" : "+"} session{list.count === 1 ? "" : "s"}
              </>
            )}
          </span>
        </p>
      </nav>
      <main id="main" tabIndex={-1}>
        {transcript ? (
          <SessionView
            key={transcript.id}
            transcript={transcript}
            route={route}
            marked={marked}
            writable={writable}
            onRemove={async (id) => {
              await api.request(`session/${segment(id)}`, { method: "DELETE" })
              go({})
              await list.refresh()
            }}
          />
        ) : route.sources ? (
          <SourcesView api={api} home={home} />
        ) : (
          filter && <Overview api={api} filter={filter} marked={marked} home={home} />
        )}
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  )
}

function go(route: Route): void {
  location.hash = formatRoute(route)
}

function useRoute(): Route {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const change = (): void => setHash(location.hash)
    window.addEventListener("hashchange", change)
    return () => window.removeEventListener("hashchange", change)
  }, [])
  return useMemo(() => parseRoute(hash), [hash])
}

/** The open session; another one ends its requests. */
function useTranscript(api: Api, { session, message }: Route): Transcript | undefined {
  const transcript = useMemo(
    () => (session === undefined ? undefined : new Transcript(api, session)),
    [api, session],
  )
  const loaded = useRef<Transcript>(undefined)
  useEffect(() => {
    if (!transcript) return
    if (loaded.current === transcript) {
      if (message !== undefined) void transcript.reach(message)
      return
    }
    loaded.current = transcript
    void transcript.load(message)
  }, [transcript, message])
  useEffect(() => () => transcript?.close(), [transcript])
  return transcript
}

/** What the list, the search and the overview are narrowed to; it stays while a session is open. */
interface Chosen {
  readonly project: string | undefined
  readonly source: string | undefined
}

const EVERYTHING: Chosen = { project: undefined, source: undefined }

function useChosen(route: Route): { chosen: Chosen; choose: (chosen: Chosen) => void } {
  const [chosen, setChosen] = useState<Chosen>({ ...EVERYTHING, ...route })
  useEffect(() => {
    if (route.session === undefined) setChosen({ project: route.project, source: route.source })
  }, [route])
  const choose = (next: Chosen): void => {
    setChosen(next)
    if (route.session === undefined) go(homeOf(next))
  }
  return { chosen, choose }
}

function homeOf({ project, source }: Chosen): Route {
  return { ...(project !== undefined && { project }), ...(source !== undefined && { source }) }
}

/** What to ask for; `undefined` until it is known which projects belong to the chosen one. Equal ones are the same. */
function useFilter(
  { project, source }: Chosen,
  groups: readonly ProjectGroup[] | undefined,
): Filter | undefined {
  const latest = useRef<Filter>(undefined)
  const group =
    project === undefined
      ? undefined
      : (groups?.find(({ ids }) => ids.includes(project)) ?? {
          ids: [project],
          name: project,
          path: "",
          sources: [],
        })
  const filter = { project: group, source }
  if (project !== undefined && groups === undefined) return undefined
  if (JSON.stringify(filter) !== JSON.stringify(latest.current)) latest.current = filter
  return latest.current
}
