import { useEffect, useRef } from "preact/hooks"
import { fullTime, plain, shortTime } from "./format.ts"
import { useModel } from "./model.ts"
import { Empty, Failure, Loading } from "./notice.tsx"
import { formatRoute } from "./route.ts"
import { type Hit, pieces, type Scope, type Search } from "./search.ts"
import { SourceMark } from "./source-mark.tsx"

const KINDS: readonly (readonly [Scope["kind"], string])[] = [
  ["all", "All"],
  ["title", "Titles"],
  ["text", "Texts"],
  ["tool", "Tools"],
]

/** Where the page goes for a hit. */
export function hitRoute(hit: Hit, query: string): string {
  return formatRoute({
    session: hit.sessionID,
    ...(hit.messageID !== undefined && { message: hit.messageID }),
    ...(hit.partID !== undefined && { part: hit.partID }),
    query,
  })
}

/** What a search found, and where it looks. */
export function Hits({
  search,
  session,
  marked,
  cursor,
  onCursor,
  onEverywhere,
}: {
  search: Search
  /** The session that is open, which a search may be narrowed to. */
  session: string | undefined
  /** Whether there are several sources, so that each hit is marked with its own. */
  marked: boolean
  cursor: number
  onCursor: (index: number) => void
  /** Widens a search of one source or project to all of them; `undefined` where it is of all. */
  onEverywhere: (() => void) | undefined
}) {
  const { hits, state, partial, query, scope } = useModel(search)
  const active = useRef<HTMLAnchorElement>(null)
  useEffect(() => active.current?.scrollIntoView({ block: "nearest" }), [cursor])
  return (
    <div class="hits">
      <div class="scope" role="group" aria-label="Where to search">
        {KINDS.map(([kind, label]) => (
          <button
            type="button"
            aria-pressed={scope.kind === kind}
            onClick={() => search.ask(query, { ...scope, kind })}
          >
            {label}
          </button>
        ))}
        {session !== undefined && (
          <label>
            <input
              type="checkbox"
              checked={scope.session === session}
              onChange={({ currentTarget }) =>
                search.ask(query, { ...scope, session: currentTarget.checked ? session : undefined })
              }
            />
            This session
          </label>
        )}
      </div>
      <p class="hidden" role="status">
        {state === "done" ? `${hits.length}${partial === undefined ? "" : " or more"} found` : ""}
      </p>
      <div class={`hit-list ${state === "searching" ? "waiting" : ""}`}>
        {state === "error" && (
          <Failure title="The search failed" error={search.error} onRetry={() => void search.again()} />
        )}
        <div role="listbox" id="hits" aria-label="Found">
          {hits.map((hit, index) => (
            <a
              class={`hit ${index === cursor ? "active" : ""}`}
              key={hit.key}
              id={`hit-${index}`}
              ref={index === cursor ? active : null}
              role="option"
              aria-selected={index === cursor}
              href={hitRoute(hit, query)}
              onClick={() => onCursor(index)}
            >
              <span class="hit-head">
                {marked && hit.source !== "" && <SourceMark source={hit.source} named />}
                <span class="hit-title">
                  {hit.kind === "title" ? <Marked hit={hit} /> : plain(hit.title)}
                </span>
                <time title={fullTime(hit.time)}>{shortTime(hit.time)}</time>
              </span>
              {hit.kind === "title" ? (
                <span class="hit-kind">Title</span>
              ) : (
                <span class="snippet">
                  <Marked hit={hit} />
                </span>
              )}
            </a>
          ))}
        </div>
        {state === "searching" && hits.length === 0 && <Loading what="Searching" />}
        {state === "done" && hits.length === 0 && (
          <Empty title={partial === "indexing" ? "Nothing found yet" : "Nothing found"}>
            <p>
              {partial === "timeout"
                ? "The search took too long and was ended; more letters make it faster."
                : "All words must occur in one message or title."}
            </p>
            {onEverywhere && (
              <button type="button" onClick={onEverywhere}>
                Search all sources and projects
              </button>
            )}
          </Empty>
        )}
        {search.canGrow && (
          <button type="button" class="more" onClick={() => void search.more()}>
            Find more
          </button>
        )}
        {state === "done" && partial === "indexing" && (
          <p class="faint note">Messages are still being indexed; there may be more.</p>
        )}
      </div>
    </div>
  )
}

function Marked({ hit }: { hit: Hit }) {
  return (
    <>{pieces(hit.snippet, hit.ranges).map(({ text, marked }) => (marked ? <mark>{text}</mark> : text))}</>
  )
}
