import type { ComponentChildren } from "preact"
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import { fieldsOf } from "../src/record/extract.ts"
import { laidOut } from "../src/record/json-text.ts"
import { Boundary } from "./boundary.tsx"
import { Code } from "./code.tsx"
import { clock, duration, fullTime, money, numberOf, short, shortTime, textOf } from "./format.ts"
import { Icon } from "./icons.tsx"
import { useKeys } from "./keys.ts"
import { markTerms } from "./marks.ts"
import { useModel } from "./model.ts"
import { Empty, Failure, Loading } from "./notice.tsx"
import { errorText, PartView } from "./part-view.tsx"
import { formatRoute, type Route } from "./route.ts"
import { isUnfinished, type Transcript, type TranscriptMessage, type TranscriptRow } from "./transcript.ts"
import { useVirtual } from "./virtual.tsx"

/** How near an end, in pixels, the next messages are asked for. */
const NEAR = 2500
/** Who is as near to the end as this, in pixels, wants to see what is added there. */
const AT_END = 120
/** Parts that one rather unfolds or not. */
const FOLDING = new Set(["tool", "reasoning", "subtask"])

/** A session's messages, or why there are none. */
export function TranscriptView({ transcript, route }: { transcript: Transcript; route: Route }) {
  const { state, messages, stretch } = useModel(transcript)
  if (messages.length === 0) {
    if (state === "loading") return <Loading what="Loading messages" />
    if (state === "error")
      return (
        <Failure
          title="The session could not be loaded"
          error={transcript.error}
          onRetry={() => void transcript.load(route.message)}
        />
      )
    if (state === "missing")
      return (
        <Empty title="There is no such session">
          <p>It may have been removed. The list shows what there is.</p>
        </Empty>
      )
    return (
      <Empty title="No messages">
        <p>New ones appear here as they are written.</p>
      </Empty>
    )
  }
  return <Rows key={stretch} transcript={transcript} route={route} />
}

function estimate(row: TranscriptRow | undefined): number {
  if (row?.kind !== "part") return row?.follows ? 14 : 52
  if (row.part.type !== "text") return row.part.type === "file" ? 200 : 34
  const text = textOf(row.part.text)
  return 24 + 24 * Math.min(200, Math.ceil(text.length / 90) + text.split("\n", 200).length - 1)
}

function Rows({ transcript, route }: { transcript: Transcript; route: Route }) {
  const { rows, hasOlder, hasNewer } = transcript
  const scroller = useRef<HTMLElement>(null)
  const placed = useRef("")
  const [current, setCurrent] = useState<string | undefined>(route.message)
  const keyOf = useCallback((index: number) => rows[index]?.key ?? index, [rows])
  const virtual = useVirtual({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimate(rows[index]),
    getItemKey: keyOf,
    overscan: 8,
    paddingStart: 56,
    paddingEnd: 96,
    scrollPaddingStart: 16,
    anchorTo: "end",
    followOnAppend: !hasNewer,
    scrollEndThreshold: AT_END,
  })
  const items = virtual.getVirtualItems()

  // Opens at the end, or at the message that the address names.
  const place = `${route.message ?? ""}/${route.part ?? ""}/${route.query ?? ""}`
  useLayoutEffect(() => {
    if (placed.current === place) return
    const index = indexOf(rows, route)
    if (route.message !== undefined && index < 0 && placed.current !== "") return
    placed.current = place
    if (index < 0) virtual.scrollToEnd()
    else virtual.scrollToIndex(index, { align: "start" })
    setCurrent(index < 0 ? undefined : route.message)
  }, [place, rows, route, virtual])

  // A jump goes on towards its index until it has settled; older messages make that the index of another row.
  const first = rows[0]?.key
  const firstBefore = useRef(first)
  useLayoutEffect(() => {
    if (firstBefore.current !== first) virtual.cancelScroll()
    firstBefore.current = first
  }, [first, virtual])

  const top = virtual.scrollOffset ?? 0
  useEffect(() => {
    if (placed.current === "" || transcript.pageError !== undefined) return
    // The element knows better than the last event where it has been scrolled to.
    if (hasOlder && (scroller.current?.scrollTop ?? 0) < NEAR) void transcript.loadOlder()
    if (hasNewer && virtual.getDistanceFromEnd() < NEAR) void transcript.loadNewer()
  })

  // The header grows when it is known what it has to say; who is at the end stays there.
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    let height = element.clientHeight
    const observer = new ResizeObserver(() => {
      const lost = height - element.clientHeight
      height = element.clientHeight
      const distance = element.scrollHeight - element.scrollTop - height
      if (lost > 0 && distance - lost < AT_END) virtual.scrollToEnd()
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [virtual])

  useLayoutEffect(() => markTerms(scroller.current, route.query))

  /** The row that one reads: where a key brought us, else the first in sight. */
  const reading = (): number => {
    const marked = rows.findIndex(({ kind, key }) => kind === "head" && key === current)
    const item = items.find(({ index }) => index === marked)
    if (item && item.start >= top - 40 && item.start < top + (scroller.current?.clientHeight ?? 0))
      return marked
    const first = items.find(({ end }) => end > top + 24)?.index ?? 0
    return rows.findLastIndex(({ kind }, index) => kind === "head" && index <= first)
  }
  const go = (step: 1 | -1, wanted: (row: TranscriptRow) => boolean): void => {
    for (let index = reading() + step; index >= 0 && index < rows.length; index += step) {
      const row = rows[index]
      if (row?.kind !== "head" || !wanted(row)) continue
      setCurrent(row.key)
      virtual.scrollToIndex(index, { align: "start" })
      return
    }
    if (step > 0) virtual.scrollToEnd()
    else virtual.scrollToOffset(0)
  }
  const isPrompt = ({ message }: TranscriptRow): boolean => message.info.role === "user"
  const toEnd = async (): Promise<void> => {
    setCurrent(undefined)
    if (hasNewer) await transcript.reach(undefined)
    else virtual.scrollToEnd()
  }
  useKeys({
    j: () => go(1, () => true),
    k: () => go(-1, () => true),
    J: () => go(1, isPrompt),
    K: () => go(-1, isPrompt),
    G: () => void toEnd(),
    g: async () => {
      await transcript.loadAll()
      virtual.scrollToOffset(0)
      setCurrent(transcript.rows[0]?.key)
    },
    o: () => {
      const head = rows[reading()]
      if (!head) return
      const parts = rows.filter((row) => row.kind === "part" && row.message.id === head.message.id)
      const folding = parts.filter((row) => row.kind === "part" && FOLDING.has(textOf(row.part.type)))
      const open = !folding.every(({ key }) => transcript.isOpen(key))
      for (const { key } of folding) transcript.setOpen(key, open)
      setCurrent(head.message.id)
    },
  })

  const away = hasNewer || virtual.getDistanceFromEnd() > 600
  return (
    <>
      <section
        class="transcript"
        ref={scroller}
        tabIndex={0}
        aria-label="Messages"
        aria-busy={transcript.isBusy("older")}
      >
        <div class="virtual column" style={{ height: `${virtual.getTotalSize()}px` }}>
          <div class="beginning">
            <Beginning transcript={transcript} />
          </div>
          {items.map(({ index, start, key }) => {
            const row = rows[index]
            return (
              row && (
                <div
                  class={rowClass(row, current, route)}
                  key={key}
                  data-index={index}
                  data-key={row.key}
                  ref={virtual.measureElement}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <RowView row={row} transcript={transcript} target={isTarget(row, route)} />
                </div>
              )
            )
          })}
        </div>
      </section>
      {away && (
        <button type="button" class="to-end" onClick={() => void toEnd()}>
          <Icon name="end" /> Newest
        </button>
      )}
    </>
  )
}

function Beginning({ transcript }: { transcript: Transcript }): ComponentChildren {
  if (transcript.pageError !== undefined)
    return (
      <Failure
        title="More messages could not be loaded"
        error={transcript.pageError}
        onRetry={() => void transcript.loadOlder()}
      />
    )
  if (transcript.hasOlder) return <Loading what="Loading older messages" />
  return <p class="faint">The session begins here{sinceWhen(transcript.messages[0])}</p>
}

function sinceWhen(first: TranscriptMessage | undefined): string {
  const time = fullTime(fieldsOf(first?.info.time).created)
  return time === "" ? "" : `, ${time}`
}

function indexOf(rows: readonly TranscriptRow[], { message, part }: Route): number {
  if (message === undefined) return -1
  const exact = part === undefined ? -1 : rows.findIndex(({ key }) => key === `${message}/${part}`)
  return exact >= 0 ? exact : rows.findIndex(({ key }) => key === message)
}

/** Whether the address names this very row. */
function isTarget(row: TranscriptRow, { message, part }: Route): boolean {
  return message !== undefined && row.key === (part === undefined ? message : `${message}/${part}`)
}

function rowClass(row: TranscriptRow, current: string | undefined, route: Route): string {
  const role = row.message.info.role === "user" ? "user" : "assistant"
  const follows = row.kind === "head" && row.follows ? "follows" : ""
  return [
    "row",
    row.kind,
    role,
    follows,
    row.message.id === current ? "current" : "",
    isTarget(row, route) ? "target" : "",
  ]
    .filter(Boolean)
    .join(" ")
}

/** A row is drawn again only when something about it changed, not whenever one scrolls. */
function RowView({
  row,
  transcript,
  target,
}: {
  row: TranscriptRow
  transcript: Transcript
  target: boolean
}) {
  const open = transcript.isOpen(row.key, target)
  const message = row.message
  const follows = row.kind === "head" && row.follows
  const part = row.kind === "part" ? row.part : undefined
  return useMemo(
    () =>
      part === undefined ? (
        <Head message={message} follows={follows} />
      ) : (
        <Boundary fallback={() => <Code text={laidOut(part)} language="json" />}>
          <PartView
            part={part}
            role={textOf(message.info.role)}
            open={open}
            onToggle={() => transcript.setOpen(row.key, !open)}
          />
        </Boundary>
      ),
    [part, message, follows, open, row.key, transcript],
  )
}

/** Who said it, when, with which model, and what it took. */
function Head({ message, follows }: { message: TranscriptMessage; follows: boolean }) {
  const { info } = message
  const { role } = info
  const time = fieldsOf(info.time)
  const model = textOf(info.modelID)
  const agent = textOf(info.agent) || textOf(info.mode)
  return (
    <>
      <header class="message-head">
        {!follows && (
          <h2>
            {role === "user" ? "User" : role === "assistant" ? "Assistant" : textOf(role) || "Message"}
            {role === "assistant" && agent !== "" && <span class="tag">{agent}</span>}
          </h2>
        )}
        {!follows && model !== "" && <span class="model">{model}</span>}
        <span class="head-end">
          <Took info={info} />
          <a class="permalink" href={formatRoute({ session: textOf(info.sessionID), message: message.id })}>
            <time title={fullTime(time.created)}>
              {follows ? clock(time.created) : shortTime(time.created)}
            </time>
            <span class="hidden"> link to this message</span>
          </a>
        </span>
      </header>
      {info.error !== undefined && info.error !== null && (
        <p class="note error" role="note">
          {errorText(info.error)}
        </p>
      )}
    </>
  )
}

function Took({ info }: { info: TranscriptMessage["info"] }): ComponentChildren {
  if (info.role !== "assistant") return null
  const tokens = fieldsOf(info.tokens)
  const cache = fieldsOf(tokens.cache)
  const read = numberOf(tokens.input) + numberOf(cache.read) + numberOf(cache.write)
  const written = numberOf(tokens.output) + numberOf(tokens.reasoning)
  const time = fieldsOf(info.time)
  const lasted = duration({ start: time.created, end: time.completed })
  const cost = numberOf(info.cost)
  return (
    <>
      {isUnfinished({ id: "", info, parts: [] }) && <span class="state">not finished</span>}
      {read + written > 0 && (
        <span
          class="took"
          title={`${read.toLocaleString()} tokens read, ${written.toLocaleString()} written`}
        >
          {short(read)} → {short(written)}
        </span>
      )}
      {cost > 0 && <span class="took">{money(cost)}</span>}
      {lasted !== "" && <span class="took">{lasted}</span>}
    </>
  )
}
