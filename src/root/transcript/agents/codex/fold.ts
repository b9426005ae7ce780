import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { ContainerName, Fold, Line, OutlinedSession, Sides, Span } from "../../agent.ts"
import { firstWords } from "../../first-words.ts"
import { soundId } from "../../record-bodies.ts"
import {
  CALLS,
  CALLS_ELSEWHERE,
  callOf,
  ENDS,
  numberOf,
  OUTPUTS,
  type RolloutLine,
  rolloutLine,
  textOf,
  timeOf,
} from "./line.ts"
import { metaOf } from "./meta.ts"
import { type Entry, outlined, type State } from "./state.ts"
import { type Usage, usageOf } from "./usage.ts"
import { personsWords, toldDirectory } from "./words.ts"

/** Events of calls that come before the call's own line, as where items were written at a response's end (0.47, 0.58). */
const EARLY_KEPT = 64
/** ms between two lines that a replay, which is written in one go, does not let pass. */
const PAUSE = 500
const UUID_OF_TIME = /^[0-9a-f]{8}-[0-9a-f]{4}-7/

/**
 * Folds a rollout. A user message is what the client said in the person's place and then the person's words; an assistant message
 * one response of the model, with the outputs of its tools.
 *
 * A response ends with its `token_usage_record` (0.169 on), or where a tool's output or somebody's words follow. Before that
 * `token_count` tells what it took: behind its items in 0.100 and 0.130, before them in 0.47 and 0.58 (fixtures), and again and
 * again; a response is counted where the total has changed.
 */
export class RolloutFold implements Fold {
  readonly #session: string
  readonly #state: State
  readonly #ids: Set<string>
  #calls: Map<string, Entry>
  readonly #places = new WeakMap<Entry, Map<string, number>>()

  constructor(container: ContainerName, state: unknown) {
    this.#session = container.session ?? container.name
    const time = container.name.match(/^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)/)
    this.#state = isJsonObject(state)
      ? // As `state()` gave it.
        (state as unknown as State)
      : {
          at: time ? timeOf(`${time[1]}:${time[2]}:${time[3]}Z`) : 0,
          count: 0,
          shown: [],
          reverted: [],
          early: [],
        }
    const { shown, reverted } = this.#state
    this.#ids = new Set([...shown, ...reverted.flat()].map(({ id }) => id))
    this.#calls = callsOf(shown)
  }

  state(): unknown {
    return this.#state
  }

  outline(sides: Sides): readonly OutlinedSession[] {
    return outlined(this.#state, this.#session, sides)
  }

  add({ value, span }: Line): void {
    const line = rolloutLine(value)
    if (!line) return
    const state = this.#state
    state.isSeen = true
    if (state.file !== span[0]) {
      state.file = span[0]
      state.fileOf = undefined
      state.replay = undefined
      state.hasOldTurns = undefined
    }
    if (state.replay === "on") this.#lookForReplaysEnd(line)
    if (line.at > 0) {
      state.at = line.at
      state.first ??= line.at
      state.updated = Math.max(state.updated ?? 0, line.at)
    }
    const { payload } = line
    if (line.type === "session_meta") this.#meta(payload, span)
    else if (line.type === "turn_context") this.#context(payload)
    else if (line.type === "response_item") this.#item(line, span)
    else if (line.type === "event_msg") this.#event(line, span)
    else if (line.type === "token_usage_record") this.#record(payload)
    else if (line.type === "compacted") this.#compacted(line, span)
    else if (line.type === "inter_agent_communication") this.#communication(line, span)
  }

  /**
   * A file is of the session that its first meta names; the container's own is the one of its name, behind those of its bases. A
   * fork of before 0.16x writes its own meta, and behind it all lines of its source once more, with new times and with the
   * source's meta (0.100 and 0.130).
   */
  #meta(payload: JsonObject, span: Span): void {
    const state = this.#state
    const meta = metaOf(payload)
    if (state.fileOf === undefined) {
      state.fileOf = meta.id
      if (meta.forkedFrom !== undefined && !meta.hasBase) state.replay = "on"
    } else if (state.fileOf !== meta.id) state.replay ??= "on"
    if (meta.id.toLowerCase() !== this.#session.toLowerCase()) {
      if (state.isOwn !== true) state.meta ??= meta
      return
    }
    if (state.isOwn !== true) {
      state.isOwn = true
      state.created = timeOf(payload.timestamp) || undefined
      const inherited = state.shown.filter(({ spans }) => spans[0]?.[0] !== span[0])
      for (const entry of inherited) entry.isBase = true
      if (inherited.length > 0) {
        state.baseWords = state.words
        state.words = undefined
      }
    }
    state.meta = meta
    state.provider = meta.provider ?? state.provider
  }

  /** A turn of the fork's own has an id of a later time than the fork's; without ids, a pause tells that a replay is over. */
  #lookForReplaysEnd({ payload, at }: RolloutLine): void {
    const state = this.#state
    const turn = textOf(payload.turn_id)
    const fork = state.fileOf ?? ""
    if (turn !== undefined && UUID_OF_TIME.test(turn) && UUID_OF_TIME.test(fork)) {
      if (turn > fork) state.replay = "over"
      else state.hasOldTurns = true
    } else if (state.hasOldTurns !== true && state.shown.at(-1)?.isReplayed && at - state.at >= PAUSE)
      state.replay = "over"
  }

  #context(payload: JsonObject): void {
    const state = this.#state
    const mode = fieldsOf(payload.collaboration_mode)
    state.model = textOf(payload.model) ?? state.model
    state.provider = textOf(payload.model_provider_id) ?? state.provider
    state.cwd = textOf(payload.cwd) ?? state.cwd
    state.mode = textOf(mode.mode) ?? state.mode
    state.effort = textOf(payload.effort) ?? textOf(fieldsOf(mode.settings).reasoning_effort)
  }

  #item(line: RolloutLine, span: Span): void {
    const { payload } = line
    const { type, role } = payload
    const isAnswer = role === "assistant"
    if (type === "message" && !isAnswer) this.#asked(line, span)
    else if (type === "message" || type === "reasoning" || CALLS_ELSEWHERE.has(type))
      this.#put(this.#answer(line, keyOf("i", payload.id)), keyOf("i", payload.id), span, line.at)
    else if (CALLS.has(type)) this.#called(line, span)
    else if (OUTPUTS.has(type)) this.#gave(line, span)
    else if (type === "agent_message") this.#communication(line, span)
  }

  /** What was said in the person's place, by the person or by the client. */
  #asked(line: RolloutLine, span: Span): void {
    const { payload } = line
    const state = this.#state
    const words = personsWords(payload)
    const key = keyOf("i", payload.id)
    const last = state.shown.at(-1)
    const goesOn = last?.role === "user" && (!last.isSaid || this.#has(last, key))
    const entry = goesOn ? last : this.#open("user", payload.id, line.at)
    this.#put(entry, key, span, line.at)
    if (state.meta?.cwd === undefined && state.cwd === undefined) state.cwd = toldDirectory(payload)
    if (words === undefined) return
    entry.isSaid = true
    state.isAsked = true
    state.words ??= firstWords(words)
  }

  /** What another agent said to this one; never the person's words, but the nearest to a title that a subagent may have. */
  #communication(line: RolloutLine, span: Span): void {
    const { payload } = line
    const last = this.#state.shown.at(-1)
    const entry = last?.role === "user" && !last.isSaid ? last : this.#open("user", payload.id, line.at)
    this.#put(entry, keyOf("i", payload.id), span, line.at)
    const words =
      typeof payload.content === "string" ? payload.content : personsWords({ ...payload, role: "user" })
    this.#state.task ??= firstWords(words ?? "")
  }

  /** The response that an item belongs to: the one under way, or a new one. */
  #answer({ payload, beside, at }: RolloutLine, key: string | undefined): Entry {
    const last = this.#state.shown.at(-1)
    const isSummary = fieldsOf(beside.metadata).compaction_output === true
    if (last?.role === "assistant") {
      if (this.#has(last, key)) return last
      if (!last.isClosed && (last.isSummary ?? false) === isSummary) return last
    }
    const entry = this.#open("assistant", payload.id ?? payload.call_id, at)
    if (isSummary) this.#summary(entry)
    return entry
  }

  #called(line: RolloutLine, span: Span): void {
    const call = callOf(line.payload)
    const key = keyOf("c", call)
    const entry = this.#answer(line, key)
    this.#put(entry, key, span, line.at)
    if (call === undefined) return
    this.#calls.set(call, entry)
    const { early } = this.#state
    const before = early.findIndex(([id]) => id === call)
    if (before < 0) return
    for (const [, place, at] of early.splice(before, 1)) this.#put(entry, keyOf("e", call), place, at)
  }

  /** An output is its call's, wherever that is; of one whose line was lost it is the response's before it. */
  #gave(line: RolloutLine, span: Span): void {
    const call = callOf(line.payload)
    const entry = (call !== undefined && this.#calls.get(call)) || this.#answer(line, keyOf("r", call))
    this.#put(entry, keyOf("r", call), span, line.at)
    entry.isClosed = true
  }

  #event(line: RolloutLine, span: Span): void {
    const { payload } = line
    const state = this.#state
    const { type } = payload
    if (type === "token_count") this.#count(payload)
    else if (ENDS.has(type)) this.#ended(line, span)
    else if (type === "task_started" || type === "turn_started") {
      state.isAsked = false
      state.isRunning = true
    } else if (type === "task_complete" || type === "turn_complete") state.isRunning = false
    else if (type === "turn_aborted") this.#aborted(payload)
    else if (type === "error") this.#failed(line, span)
    else if (type === "thread_rolled_back") this.#rolledBack(payload)
    else if (type === "thread_settings_applied") this.#context(fieldsOf(payload.thread_settings))
    else if (type === "thread_name_updated" && payload.thread_id === this.#session)
      state.name = textOf(payload.thread_name)
  }

  #ended(line: RolloutLine, span: Span): void {
    const call = callOf(line.payload)
    if (call === undefined) return
    const entry = this.#calls.get(call)
    // Finished items of other kinds, as messages, are lines of their own.
    if (entry) this.#put(entry, keyOf("e", call), span, line.at)
    else if (line.payload.type !== "item_completed") {
      const { early } = this.#state
      early.push([call, span, line.at])
      if (early.length > EARLY_KEPT) early.shift()
    }
  }

  #aborted(payload: JsonObject): void {
    this.#state.isRunning = false
    const last = this.#state.shown.at(-1)
    if (last?.role !== "assistant" || this.#state.isAsked === false) return
    last.isClosed = true
    last.error ??= { name: "MessageAbortedError", data: { message: textOf(payload.reason) ?? "aborted" } }
  }

  #failed(line: RolloutLine, span: Span): void {
    const last = this.#state.shown.at(-1)
    const isOfTurn = last?.role === "assistant" && this.#state.isAsked !== false
    const entry = isOfTurn ? last : this.#open("assistant", undefined, line.at)
    this.#put(entry, "f", span, line.at)
    entry.isClosed = true
    entry.error = { name: "UnknownError", data: { message: textOf(line.payload.message) ?? "error" } }
  }

  /** Takes the last turns out of what is shown (until about 0.16x; later releases cut the file). */
  #rolledBack({ num_turns }: JsonObject): void {
    const { shown, reverted } = this.#state
    let left = numberOf(num_turns) ?? 0
    let from = shown.length
    for (let at = shown.length - 1; at >= 0 && left > 0; at--) {
      if (!shown[at]?.isSaid) continue
      from = at
      left--
    }
    const gone = shown.splice(from)
    if (gone.length === 0) return
    // What a replay took back is a child of the session that it replays.
    if (gone.some((entry) => entry.isReplayed || entry.isBase))
      for (const { id } of gone) this.#ids.delete(id)
    else reverted.push(gone)
    this.#calls = callsOf(shown)
  }

  #compacted(line: RolloutLine, span: Span): void {
    const last = this.#state.shown.at(-1)
    const isOwn = last?.role === "assistant" && last.isSummary && !this.#has(last, "s")
    const entry = isOwn ? last : this.#open("assistant", undefined, line.at)
    this.#put(entry, "s", span, line.at)
    this.#summary(entry)
    entry.isClosed = true
  }

  #summary(entry: Entry): void {
    entry.isSummary = true
    entry.isAuto = this.#state.isAsked !== false
  }

  #record(payload: JsonObject): void {
    const state = this.#state
    const total = fieldsOf(payload.thread_token_usage).total_tokens
    const record = JSON.stringify([textOf(payload.response_id), numberOf(total)])
    if (record === state.record) return
    state.record = record
    this.#took(usageOf(payload.usage))
  }

  #count(payload: JsonObject): void {
    const state = this.#state
    const info = fieldsOf(payload.info)
    const total = numberOf(fieldsOf(info.total_token_usage).total_tokens)
    if (state.record !== undefined || total === undefined || total === state.total) return
    state.total = total
    this.#took(usageOf(info.last_token_usage))
  }

  /** Told of the response under way where that has not been told what it took, else of the next. */
  #took(usage: Usage | undefined): void {
    if (!usage) return
    const state = this.#state
    const last = state.shown.at(-1)
    if (last?.role === "assistant") {
      last.isClosed = true
      if (!last.usage) {
        last.usage = usage
        return
      }
    }
    state.waiting = state.waiting ? add(state.waiting, usage) : usage
  }

  #open(role: Entry["role"], agents: unknown, at: number): Entry {
    const state = this.#state
    state.count++
    const entry: Entry = {
      id: this.#newId(textOf(agents)),
      role,
      created: at || state.at,
      last: 0,
      spans: [],
      keys: [],
      isReplayed: state.replay === "on" || undefined,
    }
    if (role === "assistant") {
      const last = state.shown.at(-1)
      entry.parent = last?.role === "user" ? last.id : last?.parent
      entry.setting = present({
        model: state.model,
        provider: state.provider,
        cwd: state.cwd ?? state.meta?.cwd,
        mode: state.mode,
        effort: state.effort,
      })
      entry.usage = state.waiting
      state.waiting = undefined
    }
    state.shown.push(entry)
    return entry
  }

  /** The agent's own where it has one. Those of before 0.16x have none: the session's and the place in it. */
  #newId(agents: string | undefined): string {
    const wanted = soundId(agents ?? `${this.#session}-${String(this.#state.count).padStart(6, "0")}`)
    let id = wanted
    for (let copy = 2; this.#ids.has(id); copy++) id = `${wanted}-${copy}`
    this.#ids.add(id)
    return id
  }

  /** Adds a line to a message; in the place of one that was of the same thing, so that repeats take no room. */
  #put(entry: Entry, key: string | undefined, span: Span, at: number): void {
    const places = this.#placesOf(entry)
    const place = key === undefined ? undefined : places.get(key)
    entry.last = Math.max(entry.last, at)
    if (place !== undefined) {
      entry.spans[place] = span
      return
    }
    if (key !== undefined) places.set(key, entry.spans.length)
    entry.spans.push(span)
    entry.keys.push(key ?? "")
  }

  #has(entry: Entry, key: string | undefined): boolean {
    return key !== undefined && this.#placesOf(entry).has(key)
  }

  #placesOf(entry: Entry): Map<string, number> {
    const known = this.#places.get(entry)
    if (known) return known
    const places = new Map(entry.keys.flatMap((key, at) => (key === "" ? [] : [[key, at] as const])))
    this.#places.set(entry, places)
    return places
  }
}

/** What a line is of, so that a later one of the same is known: an item, a call, its result, the event of its end. */
function keyOf(kind: "i" | "c" | "r" | "e", id: unknown): string | undefined {
  const told = textOf(id)
  return told === undefined ? undefined : `${kind}:${told}`
}

/** In which message each call is; the newest of those of one id. */
function callsOf(shown: readonly Entry[]): Map<string, Entry> {
  const calls = new Map<string, Entry>()
  for (const entry of shown)
    for (const key of entry.keys) if (key.startsWith("c:")) calls.set(key.slice(2), entry)
  return calls
}

function add(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    cache: { read: a.cache.read + b.cache.read, write: a.cache.write + b.cache.write },
  }
}
