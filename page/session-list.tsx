import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import { Sums } from "./diff-view.tsx"
import { clock, fullTime, nested, plain, plural } from "./format.ts"
import { Icon } from "./icons.tsx"
import { useModel } from "./model.ts"
import { Empty, Failure, Loading } from "./notice.tsx"
import type { ProjectGroup } from "./projects.ts"
import { formatRoute } from "./route.ts"
import type { SessionItem, SessionList, SessionRow } from "./sessions.ts"
import { SourceMark } from "./source-mark.tsx"
import { useVirtual } from "./virtual.tsx"

const HEIGHTS = { day: 32, session: 54 } as const
/** Rows before the end at which the next page is asked for. */
const AHEAD = 60

interface Props {
  readonly list: SessionList
  readonly selected: string | undefined
  /** Groups by the ids of their projects. */
  readonly projects: ReadonlyMap<string, ProjectGroup>
  /** Whether there are several sources, so that each session is marked with its own. */
  readonly marked: boolean
  readonly onOpen: (id: string) => void
}

/** All sessions as a tree, of which only the rows in sight exist. */
export function SessionTree({ list, selected, projects, marked, onOpen }: Props) {
  const { rows, state } = useModel(list)
  const scroller = useRef<HTMLDivElement>(null)
  const [cursor, setCursor] = useState<string>()
  const keyOf = useCallback((index: number) => rows[index]?.key ?? index, [rows])
  const virtual = useVirtual({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => HEIGHTS[rows[index]?.kind ?? "session"],
    getItemKey: keyOf,
    overscan: 10,
    paddingEnd: 12,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= rows.length - AHEAD && state === "ready") void list.more()
  }, [last, rows.length, state, list])

  const active = cursor ?? selected
  const at = rows.findIndex((row) => row.kind === "session" && row.key === active)
  // What was opened from elsewhere comes into sight; what one scrolled to stays.
  useEffect(() => {
    setCursor(undefined)
    const index = list.rows.findIndex(({ key }) => key === selected)
    if (index >= 0) virtual.scrollToIndex(index, { align: "auto" })
  }, [selected, list, virtual])

  const go = (index: number, step: 1 | -1): void => {
    for (let next = index; next >= 0 && next < rows.length; next += step)
      if (rows[next]?.kind === "session") {
        setCursor(rows[next]?.key)
        virtual.scrollToIndex(next, { align: "auto" })
        return
      }
  }
  const press = (event: KeyboardEvent): void => {
    const row = rows[at]
    const session = row?.kind === "session" ? row : undefined
    const parent =
      session && rows.findLastIndex((r, i) => i < at && r.kind === "session" && r.depth < session.depth)
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => go(at + 1, 1),
      ArrowUp: () => (at < 0 ? go(0, 1) : go(at - 1, -1)),
      j: () => go(at + 1, 1),
      k: () => (at < 0 ? go(0, 1) : go(at - 1, -1)),
      Home: () => go(0, 1),
      End: () => go(rows.length - 1, -1),
      PageDown: () => go(Math.min(rows.length - 1, Math.max(at, 0) + 10), 1),
      PageUp: () => go(Math.max(0, at - 10), -1),
      ArrowRight: () =>
        session && (session.open ? go(at + 1, 1) : session.children > 0 && list.toggle(session.key)),
      ArrowLeft: () =>
        session &&
        (session.open
          ? list.toggle(session.key)
          : parent !== undefined && session.depth > 0 && go(parent, -1)),
      Enter: () => session && onOpen(session.key),
      " ": () => session && onOpen(session.key),
    }
    const act = acts[event.key]
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return
    act()
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div class="list">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a group has nothing to act on, a tree has */}
      {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: both roles have names */}
      <div
        class="tree"
        ref={scroller}
        role={rows.length > 0 ? "tree" : "group"}
        id="sessions"
        aria-label="Sessions, newest first"
        aria-busy={state === "loading"}
        aria-activedescendant={at >= 0 ? `session-${at}` : undefined}
        tabIndex={0}
        onKeyDown={press}
      >
        <div role="presentation" class="virtual" style={{ height: `${virtual.getTotalSize()}px` }}>
          {items.map(({ index, start, key }) => {
            const row = rows[index]
            return (
              row && (
                <div
                  role="presentation"
                  class="row"
                  key={key}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  {row.kind === "day" ? (
                    <div class="day">{row.label}</div>
                  ) : (
                    <SessionRowView
                      row={row}
                      id={`session-${index}`}
                      selected={row.key === selected}
                      active={row.key === active}
                      project={list.filter.project ? "" : nameOf(row.session, projects)}
                      marked={marked}
                      onToggle={() => list.toggle(row.key)}
                    />
                  )}
                </div>
              )
            )
          })}
        </div>
        {rows.length === 0 && state === "loading" && <Loading what="Loading sessions" />}
        {rows.length === 0 && state === "ready" && (
          <Empty title="No sessions">
            <p>
              {list.filter.project || list.filter.source !== undefined
                ? "None is of this source and project."
                : "There are none yet. New ones appear here."}
            </p>
          </Empty>
        )}
        {state === "error" && (
          <Failure
            title="The sessions could not be loaded"
            error={list.error}
            onRetry={() => void (rows.length === 0 ? list.refresh() : list.more())}
          />
        )}
      </div>
    </div>
  )
}

function nameOf({ projectID, directory }: SessionItem, projects: ReadonlyMap<string, ProjectGroup>): string {
  return projects.get(projectID)?.name ?? directory.split(/[\\/]/).filter(Boolean).at(-1) ?? ""
}

function SessionRowView({
  row: { session, depth, children, branches, open },
  id,
  selected,
  active,
  project,
  marked,
  onToggle,
}: {
  row: Extract<SessionRow, { kind: "session" }>
  id: string
  selected: boolean
  active: boolean
  project: string
  marked: boolean
  onToggle: () => void
}) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus, and names its active item
    <div
      class={`session ${selected ? "selected" : ""} ${active ? "active" : ""} ${session.archived ? "archived" : ""}`}
      role="treeitem"
      id={id}
      aria-level={depth + 1}
      aria-selected={selected}
      aria-expanded={children > 0 ? open : undefined}
      style={{ paddingInlineStart: `${Math.min(depth, 8) * 18}px` }}
    >
      {children > 0 ? (
        <button
          type="button"
          class={`twist ${open ? "open" : ""}`}
          tabIndex={-1}
          aria-label={`${open ? "Hide" : "Show"} ${plural(children, "nested session")}`}
          onClick={onToggle}
        >
          <Icon name="chevron" />
        </button>
      ) : (
        <span class="twist" />
      )}
      <a class="session-link" href={formatRoute({ session: session.id })} tabIndex={-1}>
        <span class="session-title" title={plain(session.title)}>
          {plain(session.title)}
        </span>
        <span class="session-meta">
          {marked && <SourceMark source={session.source} named />}
          <time title={fullTime(session.updated)}>{clock(session.updated)}</time>
          {project !== "" && <span class="project">{plain(project)}</span>}
          {children > 0 && <span>{nested(children, branches)}</span>}
          {session.archived && <span>archived</span>}
          <Sums added={session.additions} removed={session.deletions} />
        </span>
      </a>
    </div>
  )
}
