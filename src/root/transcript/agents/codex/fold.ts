import { fieldsOf, isJsonObject, type JsonObject } from "../../../../record/extract.ts"
import { present } from "../../../../record/present.ts"
import type { ContainerName, Fold, Line, OutlinedSession, Sides, Span } from "../../agent.ts"
import { firstWords } from "../../first-words.ts"
import { Entries, type Entry, keyOf } from "./entries.ts"
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
import { MessageOutlines } from "./message-outlines.ts"
import { metaOf } from "./meta.ts"
import { outlined, type State } from "./state.ts"
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
  readonly #entries: Entries
  readonly #outlines = new MessageOutlines()

  constructor(container: ContainerName, state: unknown) {
    this.#session = container.session ?? container.name
    // As `state()` gave it.
    this.#state = isJsonObject(state) ? (state as unknown as State) : beginning(container)
    this.#entries = new Entries(this.#state, this.#session)
  }

  state(): unknown {
    return this.#state
  }

  outline(sides: Sides): readonly OutlinedSession[] {
    return outlined(this.#state, this.#session, sides, this.#outlines)
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
      state.waiting = undefined
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
      state.provider = meta.provider ?? state.provider
      if (meta.forkedFrom !== undefined && !meta.hasBase) state.replay = "on"
    } else if (state.fileOf !== meta.id) state.replay ??= "on"
    if (meta.id.toLowerCase() !== this.#session.toLowerCase()) {
      state.meta ??= meta
      return
    }
    if (state.isOwn !== true) {
      state.isOwn = true
      state.created = timeOf(payload.timestamp) || undefined
      if (this.#entries.inherit(span[0])) {
        state.baseWords = state.words ?? state.baseWords
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
      if (turn <= fork) {
        state.hasOldTurns = true
        return
      }
    } else if (state.hasOldTurns === true || !this.#entries.last?.isReplayed || at - state.at < PAUSE) return
    state.replay = "over"
    // A subagent's replay tells what responses took that it does not tell itself (0.130).
    state.waiting = undefined
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
      this.#entries.put(this.#answer(line, keyOf("i", payload.id)), keyOf("i", payload.id), span, line.at)
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
    const last = this.#entries.last
    // A picture that the model asked to see came as if the person had sent it (until 0.100).
    if (words === "" && last?.isViewing) {
      this.#entries.put(last, "v", span, line.at)
      return
    }
    const goesOn = last?.role === "user" && (!last.isSaid || this.#entries.has(last, key))
    const entry = goesOn ? last : this.#open("user", payload.id, line.at)
    this.#entries.put(entry, key, span, line.at)
    if (state.meta?.cwd === undefined && state.cwd === undefined) state.cwd = toldDirectory(payload)
    if (words === undefined) return
    entry.isSaid = true
    state.isAsked = true
    if (state.replay === "on") state.baseWords ??= firstWords(words)
    else state.words ??= firstWords(words)
  }

  /** What another agent said to this one; never the person's words, but the nearest to a title that a subagent may have. */
  #communication(line: RolloutLine, span: Span): void {
    const { payload } = line
    const entry = this.#entries.unsaid ?? this.#open("user", payload.id, line.at)
    this.#entries.put(entry, keyOf("i", payload.id), span, line.at)
    const words =
      typeof payload.content === "string" ? payload.content : personsWords({ ...payload, role: "user" })
    this.#state.task ??= firstWords(words ?? "")
  }

  /** The response that an item belongs to: the one under way, or a new one. */
  #answer({ payload, beside, at }: RolloutLine, key: string | undefined): Entry {
    const last = this.#entries.last
    const isSummary = fieldsOf(beside.metadata).compaction_output === true
    if (last?.role === "assistant") {
      if (this.#entries.has(last, key)) return last
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
    this.#entries.put(entry, key, span, line.at)
    if (line.payload.name === "view_image") entry.isViewing = true
    if (call === undefined) return
    const { early } = this.#state
    const before = early.findIndex(([id]) => id === call)
    if (before < 0) return
    for (const [, place, at] of early.splice(before, 1)) this.#entries.put(entry, keyOf("e", call), place, at)
  }

  /** An output is its call's, wherever that is; of one whose line was lost it is the response's before it. */
  #gave(line: RolloutLine, span: Span): void {
    const call = callOf(line.payload)
    const entry = this.#entries.ofCall(call) ?? this.#answer(line, keyOf("r", call))
    this.#entries.put(entry, keyOf("r", call), span, line.at)
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
    } else if (type === "task_complete" || type === "turn_complete") {
      state.isRunning = false
      if (isJsonObject(payload.error)) this.#failed(line, payload.error.message, span)
    } else if (type === "turn_aborted") {
      state.isRunning = false
      this.#aborted(payload)
    } else if (type === "error") this.#failed(line, payload.message, span)
    // Until about 0.16x; later releases cut the file.
    else if (type === "thread_rolled_back") this.#entries.takeBack(numberOf(payload.num_turns) ?? 0)
    else if (type === "thread_settings_applied") this.#context(fieldsOf(payload.thread_settings))
    else if (type === "thread_name_updated" && payload.thread_id === this.#session)
      state.name = textOf(payload.thread_name)
  }

  #ended(line: RolloutLine, span: Span): void {
    const call = callOf(line.payload)
    if (call === undefined) return
    const entry = this.#entries.ofCall(call)
    if (entry) {
      this.#entries.put(entry, keyOf("e", call), span, line.at)
      return
    }
    const { early } = this.#state
    early.push([call, span, line.at])
    if (early.length > EARLY_KEPT) early.shift()
  }

  #aborted(payload: JsonObject): void {
    const entry = this.#lastOfTurn()
    if (!entry) return
    entry.isClosed = true
    entry.error ??= { name: "MessageAbortedError", data: { message: textOf(payload.reason) ?? "aborted" } }
  }

  #failed(line: RolloutLine, message: unknown, span: Span): void {
    const entry = this.#lastOfTurn() ?? this.#open("assistant", undefined, line.at)
    this.#entries.put(entry, "f", span, line.at)
    entry.isClosed = true
    entry.error = { name: "UnknownError", data: { message: textOf(message) ?? "error" } }
  }

  #lastOfTurn(): Entry | undefined {
    return this.#state.isAsked === false ? undefined : this.#entries.lastAnswer
  }

  #compacted(line: RolloutLine, span: Span): void {
    const last = this.#entries.last
    const isOwn = last?.role === "assistant" && last.isSummary && !this.#entries.has(last, "s")
    const entry = isOwn ? last : this.#open("assistant", undefined, line.at)
    this.#entries.put(entry, "s", span, line.at)
    this.#summary(entry)
    entry.isClosed = true
  }

  #summary(entry: Entry): void {
    entry.isSummary = true
    entry.isAuto = this.#state.isAsked !== false
  }

  #record(payload: JsonObject): void {
    const state = this.#state
    const total = numberOf(fieldsOf(payload.thread_token_usage).total_tokens)
    const response = textOf(payload.response_id)
    const record = `${response} ${total}`
    if (record === state.record && (response ?? total) !== undefined) return
    state.record = record
    this.#took(usageOf(payload.usage))
  }

  /**
   * Each turn begins with the newest count once more. Where turns were cut out of a file (`migrate-rollouts` of 0.171 does so with
   * those taken back), that is of a response that is not there: where counts come behind their items, none is told before the first.
   */
  #count(payload: JsonObject): void {
    const state = this.#state
    const info = fieldsOf(payload.info)
    const total = numberOf(fieldsOf(info.total_token_usage).total_tokens)
    if (state.record !== undefined || total === undefined || total === state.total) return
    const isWhole = total - (state.total ?? 0) === fieldsOf(info.last_token_usage).total_tokens
    state.total = total
    const { last } = this.#entries
    if (last?.role !== "assistant") {
      state.counts ??= isWhole ? "before" : undefined
      if (state.counts !== "before") return
    } else if (!last.usage) state.counts = "behind"
    this.#took(usageOf(info.last_token_usage))
  }

  /** Told of the response under way where that has not been told what it took, else of the next. */
  #took(usage: Usage | undefined): void {
    if (!usage) return
    const state = this.#state
    const last = this.#entries.last
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
    const entry = this.#entries.open(role, agents, at || state.at)
    entry.isReplayed = state.replay === "on" || undefined
    if (role === "user") return entry
    entry.setting = present({
      model: state.model,
      provider: state.provider,
      cwd: state.cwd ?? state.meta?.cwd,
      mode: state.mode,
      effort: state.effort,
    })
    entry.usage = state.waiting
    state.waiting = undefined
    return entry
  }
}

/** What is known of a container before its first line: the time in its name, which is UTC's as Codex reads it. */
function beginning({ name }: ContainerName): State {
  const time = name.match(/^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)/)
  const at = time ? timeOf(`${time[1]}:${time[2]}:${time[3]}Z`) : 0
  return { at, count: 0, shown: [], reverted: [], early: [] }
}

function add(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
    cache: { read: a.cache.read + b.cache.read, write: a.cache.write + b.cache.write },
  }
}
