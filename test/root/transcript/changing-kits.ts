import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { JsonObject } from "../../../src/record/extract.ts"
import type { TranscriptAgent } from "../../../src/root/transcript/agent.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import type { Random } from "../../support/random.ts"
import * as claude from "./claude-code-transcripts.ts"
import * as rollout from "./codex-transcripts.ts"
import * as gemini from "./gemini-cli-lines.ts"

/** What a random home of an agent is made of. */
export interface HomeKit {
  readonly agent: TranscriptAgent
  /** Where its transcripts may lie. */
  readonly paths: readonly string[]
  /** The small files beside them. */
  readonly sides: Readonly<Record<string, (random: Random) => string>>
  /** A line that may begin a transcript. */
  first(random: Random, path: string): unknown
  /** A line that may follow in it. */
  next(random: Random, path: string): unknown
}

/** All of one length, so that a line keeps its own when one takes another's place. */
export const WORDS = ["pars", "Pars", "arse", "rser", "fixp", "ixpa"] as const

function words(random: Random): string {
  return Array.from({ length: 1 + random.below(3) }, () => random.pick(WORDS)).join(" ")
}

/** Now and then the same time, now and then an earlier one. */
function time(random: Random): string {
  return new Date(Date.UTC(2026, 9, 1) + 1000 * random.below(20)).toISOString()
}

/** Lines that releases wrote, without the long ones. */
function releasedLines(home: string): unknown[] {
  return readdirSync(home, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".jsonl"))
    .sort()
    .flatMap((path) =>
      readFileSync(join(home, path), "utf8")
        .split("\n")
        .filter((line) => line !== "" && line.length < 2_000)
        .map((line) => JSON.parse(line) as unknown),
    )
}

const SESSIONS = [0, 1, 2].map((n) => `00000000-0000-4000-8000-00000000000${n}`)
const claudeLines = releasedLines(claude.HOME)

const claudeKit: HomeKit = {
  agent: claudeCode,
  paths: [
    ...["-app", "-app-x", "-b"].flatMap((folder) =>
      SESSIONS.map((session) => `projects/${folder}/${session}.jsonl`),
    ),
    `projects/-app/${SESSIONS[0]}/subagents/agent-1.jsonl`,
    `projects/-app-x/${SESSIONS[0]}/subagents/agent-1.jsonl`,
    `projects/-app/${SESSIONS[1]}/subagents/w/agent-2.jsonl`,
    "projects/-app/agent-2.jsonl",
  ],
  sides: {
    [`projects/-app/${SESSIONS[0]}/subagents/agent-1.meta.json`]: (random) =>
      JSON.stringify({ agentType: random.pick(WORDS), description: words(random), toolUseId: "t1" }),
  },
  first: claudeLine,
  next: claudeLine,
}

function claudeLine(random: Random): unknown {
  if (random.chance(0.1)) return random.pick(claudeLines)
  const id = (of: string): string => `${of}${random.below(8)}`
  const parent = random.chance(0.2) ? null : id("u")
  const common: JsonObject = {
    timestamp: time(random),
    sessionId: random.pick(SESSIONS),
    cwd: random.pick(["/home/dev/app", "/home/dev/app", "/home/dev/bpp"]),
    isSidechain: random.chance(0.1),
  }
  switch (random.below(8)) {
    case 0:
    case 1:
      return claude.user(id("u"), parent, words(random), common)
    case 2:
      return claude.assistant(id("u"), parent, id("m"), claude.text(words(random)), common)
    case 3:
      return claude.assistant(
        id("u"),
        parent,
        id("m"),
        claude.call(id("t"), { command: words(random) }),
        common,
      )
    case 4:
      return { ...claude.result(id("u"), id("u"), id("t")), ...common }
    case 5:
      return { type: "custom-title", customTitle: words(random), sessionId: SESSIONS[0] }
    case 6:
      return { type: "summary", summary: words(random), leafUuid: id("u") }
    default:
      return claude.line(id("u"), null, {
        ...common,
        type: "system",
        subtype: "compact_boundary",
        logicalParentUuid: id("u"),
      })
  }
}

const THREADS = [0, 1, 2, 3].map((n) => `01a30000-0000-7000-8000-00000000000${n}`)
const codexLines = releasedLines(rollout.HOME)

const codexKit: HomeKit = {
  agent: codex,
  paths: THREADS.flatMap((thread) =>
    ["sessions/2026/11/29", "sessions/2026/11/30", "archived_sessions"].map(
      (folder) => `${folder}/rollout-2026-11-29T08-00-00-${thread}.jsonl`,
    ),
  ),
  sides: {
    "session_index.jsonl": (random) =>
      Array.from({ length: random.below(3) }, () =>
        JSON.stringify({ id: random.pick(THREADS), thread_name: words(random) }),
      ).join("\n"),
  },
  first(random, path) {
    const id = random.chance(0.9) ? path.slice(-42, -6) : THREADS[0]
    const base = { thread_id: random.pick(THREADS), end_byte_offset: 1 + random.below(3_000) }
    return rolloutTimed(
      random,
      rollout.meta({
        id,
        cwd: random.pick(["/home/dev/app", "/home/dev/bpp"]),
        ...(random.chance(0.5) && { history_base: base, forked_from_id: base.thread_id }),
      }),
    )
  },
  next(random, path) {
    if (random.chance(0.15)) return random.pick(codexLines)
    const id = `c${random.below(4)}`
    const total = random.below(4)
    return rolloutTimed(
      random,
      random.pick([
        () => rollout.said(words(random)),
        () => rollout.said(words(random)),
        () => rollout.answer(words(random)),
        () => rollout.answer(words(random)),
        () => rollout.call(id),
        () => rollout.output(id, words(random)),
        () => rollout.count(total, total),
        () => rollout.event("exec_command_end", { call_id: id, exit_code: 0, stdout: words(random) }),
        () => rollout.event("thread_name_updated", { thread_name: words(random) }),
        () => rollout.line("turn_context", { cwd: "/home/dev/app", model: random.pick(WORDS) }),
        () => rollout.line("compacted", { message: words(random) }),
        () => codexKit.first(random, path) as JsonObject,
      ])(),
    )
  },
}

function rolloutTimed(random: Random, line: JsonObject): JsonObject {
  return { ...line, timestamp: time(random) }
}

const geminiLines = releasedLines(gemini.HOME)
const CHATS = ["tmp/app/chats", "tmp/app-x/chats", "tmp/b/chats"]

const geminiKit: HomeKit = {
  agent: geminiCli,
  paths: [
    ...CHATS.flatMap((folder) =>
      ["a", "b"].flatMap((name) =>
        ["json", "jsonl"].map((form) => `${folder}/session-2026-11-01T00-00-${name}.${form}`),
      ),
    ),
    `tmp/app/chats/${SESSIONS[0]}/${SESSIONS[1]}.jsonl`,
  ],
  sides: {
    "tmp/app/.project_root": (random) => random.pick(["/home/dev/app", "/home/dev/bpp"]),
    "projects.json": (random) => JSON.stringify({ projects: { [`/home/${random.pick(WORDS)}`]: "app-x" } }),
  },
  first: (random) => ({
    ...gemini.HEADER,
    sessionId: random.pick(SESSIONS),
    startTime: time(random),
    lastUpdated: time(random),
  }),
  next(random, path) {
    if (random.chance(0.1)) return random.pick(geminiLines)
    const said = (): JsonObject => geminiMessage(random)
    switch (random.below(10)) {
      case 0:
        return gemini.set(Array.from({ length: random.below(4) }, said))
      case 1:
        return { $set: { summary: words(random), lastUpdated: time(random) } }
      case 2:
        return { $rewindTo: `m${random.below(6)}` }
      case 3:
        return geminiKit.first(random, path)
      default:
        return said()
    }
  },
}

function geminiMessage(random: Random): JsonObject {
  const id = `m${random.below(6)}`
  const timestamp = time(random)
  if (random.chance(0.5)) return { ...gemini.user(id, words(random)), timestamp }
  const toolCalls = random.chance(0.4) ? [gemini.call(`t${random.below(3)}`)] : []
  return { ...gemini.gemini(id, words(random), 2, { toolCalls }), timestamp }
}

/** One of each agent. */
export const KITS: readonly HomeKit[] = [claudeKit, codexKit, geminiKit]
