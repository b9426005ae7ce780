import * as fs from "node:fs"
import { join } from "node:path"
import { makeCorpus, numbers, type Size, textLength } from "./store.ts"
import { RARE } from "./words.ts"

/** How many transcripts, of how many bytes in all, of which one has so many. */
export const HOMES: Record<Size, { transcripts: number; bytes: number; largest: number }> = {
  S: { transcripts: 500, bytes: 100e6, largest: 20e6 },
  M: { transcripts: 5_000, bytes: 1e9, largest: 200e6 },
  L: { transcripts: 5_000, bytes: 1e9, largest: 200e6 },
}

/** The session of the largest transcript, and the project's folder that it lies in. */
export const LARGEST = "ffffffff-0000-4000-8000-000000000000"
const PROJECTS = 40
/** Sizes lie around their median as far apart as reported: most have some 10 kB, some have 10 MB. */
const SPREAD = 1.6
/** One transcript in so many begins with lines of another, one is a subagent's. */
const FORK_EVERY = 20
const SUBAGENT_EVERY = 10
const COPIED = 30
const WRITTEN_AT_ONCE = 1_000_000
const BEGUN = 1_750_000_000_000

/** A home of Claude Code. */
export interface Home {
  readonly place: string
  readonly bytes: number
  /** The largest transcript's file. */
  readonly largest: string
}

/** Makes transcripts of Claude Code, the same ones every time, whose sizes are spread as reported. */
export function makeHome(place: string, size: Size): Home {
  const { transcripts, bytes, largest } = HOMES[size]
  const random = numbers()
  const next = (): number => random.next().value ?? 0
  const corpus = makeCorpus(next)
  const weights = Array.from({ length: transcripts - 1 }, () => Math.exp(SPREAD * normal(next)))
  let weightLeft = weights.reduce((all, weight) => all + weight, 0)
  let made = 0
  let before = { id: "", lines: [] as Record<string, unknown>[] }
  const write = (at: number, id: string, goal: number): string => {
    const project = `project${at % PROJECTS}`
    const isSubagent = at % SUBAGENT_EVERY === 1 && before.id !== ""
    const folder = join(place, "projects", `-home-dev-${project}`)
    const path = isSubagent
      ? join(folder, before.id, "subagents", `agent-${id}.jsonl`)
      : join(folder, `${id}.jsonl`)
    fs.mkdirSync(join(path, ".."), { recursive: true })
    const writer = new TranscriptWriter(path, corpus, next, {
      sessionId: isSubagent ? before.id : id,
      cwd: `/home/dev/${project}`,
      isSidechain: isSubagent,
      agentId: isSubagent ? id : undefined,
      time: BEGUN + at * 1_800_000,
    })
    if (at % FORK_EVERY === 2) for (const line of before.lines) writer.copy(line)
    do writer.turn()
    while (writer.bytes < goal)
    // Three of all messages say a word that is nowhere else.
    if (at % Math.ceil(transcripts / 3) === 0) writer.say(RARE)
    made += writer.end()
    if (!isSubagent) before = { id, lines: writer.first }
    return path
  }
  for (const [at, weight] of weights.entries()) {
    // What one takes more than its share, since it ends with a whole turn, the others take less.
    write(at, identifier(at), Math.min(((bytes - largest - made) * weight) / weightLeft, largest / 2))
    weightLeft -= weight
  }
  // It is not among the newest: what a first page costs is what most of its transcripts do.
  return { place, largest: write(Math.floor(transcripts / 2), LARGEST, largest), bytes: made }
}

function identifier(number: number): string {
  return `${String(number).padStart(8, "0")}-0000-4000-8000-000000000000`
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
}

/** A message as the next line of the conversation that ends in `parent`. */
export function saidLine(session: string, parent: string | null, uuid: string, text: string): string {
  const timestamp = new Date().toISOString()
  const message = { role: "user", content: text }
  return `${JSON.stringify({ parentUuid: parent, type: "user", uuid, timestamp, sessionId: session, message })}\n`
}

/** Writes one transcript, turn by turn: a prompt, then answers with thoughts and texts, and tools with their results. */
class TranscriptWriter {
  readonly #path: string
  readonly #corpus: string
  readonly #next: () => number
  readonly #common: Record<string, unknown>
  /** Its first lines, as a fork copies them. */
  readonly first: Record<string, unknown>[] = []
  #time: number
  #parent: string | null = null
  #waiting: string[] = []
  #waitingLength = 0
  #number = 0
  bytes = 0

  constructor(
    path: string,
    corpus: string,
    next: () => number,
    { time, ...common }: { time: number } & Record<string, unknown>,
  ) {
    this.#path = path
    this.#corpus = corpus
    this.#next = next
    this.#time = time
    this.#common = { userType: "external", ...common, version: "2.1.197", gitBranch: "main" }
    fs.writeFileSync(path, "")
  }

  copy(line: Record<string, unknown>): void {
    this.#parent = String(line.uuid)
    this.#line({ ...line, sessionId: this.#common.sessionId })
  }

  turn(): void {
    this.#said(this.#text(), {})
    this.#line({
      type: "file-history-snapshot",
      messageId: this.#parent,
      snapshot: { trackedFileBackups: {}, timestamp: this.#now() },
      isSnapshotUpdate: false,
    })
    const answers = 1 + Math.floor(this.#next() * 4)
    for (let answer = 0; answer < answers; answer++) {
      const response = this.#id("msg")
      if (this.#next() < 0.5)
        this.#answered(response, { type: "thinking", thinking: this.#text(), signature: this.#text() })
      if (this.#next() < 0.7) this.#answered(response, { type: "text", text: this.#text() })
      if (answer === answers - 1) continue
      const call = this.#id("toolu")
      const input = { command: `cat ${this.#text().slice(0, 60)}`, description: "Look at it" }
      this.#answered(response, { type: "tool_use", id: call, name: "Bash", input })
      for (let line = this.#next() < 0.1 ? 8 : 0; line > 0; line--) this.#progress(call)
      const output = this.#text()
      const more = { toolUseResult: { stdout: output, stderr: "", interrupted: false, isImage: false } }
      this.#said([{ tool_use_id: call, type: "tool_result", content: output, is_error: false }], more)
    }
  }

  say(text: string): void {
    this.#said(text, {})
  }

  /** Writes out what waits; gives the file's bytes. */
  end(): number {
    this.#flush()
    fs.utimesSync(this.#path, this.#time / 1000, this.#time / 1000)
    return this.bytes
  }

  #said(content: unknown, more: Record<string, unknown>): void {
    this.#conversation("user", { message: { role: "user", content }, ...more })
  }

  #answered(id: string, block: Record<string, unknown>): void {
    const usage = {
      input_tokens: 4,
      cache_creation_input_tokens: 900,
      cache_read_input_tokens: 20_000,
      output_tokens: 80,
    }
    const common = {
      id,
      type: "message",
      role: "assistant",
      model: "claude-opus-4",
      stop_reason: null,
      usage,
    }
    this.#conversation("assistant", { message: { ...common, content: [block] }, requestId: `req_${id}` })
  }

  /** What a running tool printed so far, over and over. */
  #progress(call: string): void {
    const data = {
      type: "bash_progress",
      output: this.#text(),
      fullOutput: this.#corpus.slice(0, 3_000),
      elapsedTimeSeconds: 3,
    }
    this.#conversation("progress", { data, toolUseID: `bash-progress-${call}`, parentToolUseID: call })
  }

  #conversation(type: string, more: Record<string, unknown>): void {
    const uuid = this.#id("uuid")
    this.#line({ parentUuid: this.#parent, ...this.#common, type, ...more, uuid, timestamp: this.#now() })
    // What comes after progress goes on from what was before it.
    if (type !== "progress") this.#parent = uuid
  }

  #line(line: Record<string, unknown>): void {
    if (this.first.length < COPIED && typeof line.uuid === "string" && line.type !== "progress")
      this.first.push(line)
    const text = `${JSON.stringify(line)}\n`
    this.bytes += text.length
    this.#waiting.push(text)
    this.#waitingLength += text.length
    if (this.#waitingLength > WRITTEN_AT_ONCE) this.#flush()
  }

  #flush(): void {
    fs.appendFileSync(this.#path, this.#waiting.join(""))
    this.#waiting = []
    this.#waitingLength = 0
  }

  #text(): string {
    const length = textLength(this.#next())
    const from = Math.floor(this.#next() * (this.#corpus.length - length))
    return this.#corpus.slice(from, from + length)
  }

  #id(kind: string): string {
    return `${kind}-${String(this.#common.agentId ?? this.#common.sessionId).slice(0, 8)}-${this.#number++}`
  }

  #now(): string {
    this.#time += 700
    return new Date(this.#time).toISOString()
  }
}
