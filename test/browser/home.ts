import { join } from "node:path"
import { put } from "../support/files.ts"
import { Random } from "../support/random.ts"
import { DAY, HOUR, type ProjectName, writeHistory } from "./history.ts"

/** One session to be written as each agent writes it. */
interface Made {
  readonly id: string
  readonly cwd: string
  readonly title: string
  readonly created: number
  readonly turns: number
}

const MINUTE = 60_000
const SAID = "Done; see the changes above."

const CODEX = [
  "Find out why checkout sends two e-mails",
  "Write a migration for the orders table",
  "Trim the Docker image",
  "Make the date picker work by keyboard",
] as const
const CLAUDE = [
  "Review the rounding of prices",
  "Split the checkout controller",
  "Explain how tiles are cached",
  "Bring the README up to date",
] as const
const GEMINI = ["Sketch an API for gift cards", "Compare two map projections", "Translate the form"] as const

/** A home in which all agents were used: opencode's history is the one of `writeHistory`, the others work on the same projects. */
export function writeHome(home: string, now: number): ReturnType<typeof writeHistory> {
  const ids = writeHistory(join(home, ".local", "share", "opencode", "storage"), now)
  const random = new Random(11)
  let count = 0
  const made = (titles: readonly string[], many: number, write: (session: Made) => void): void => {
    for (let nth = 0; nth < many; nth++) {
      const project = random.pick(["shop", "shop", "atlas"] as const satisfies readonly ProjectName[])
      const age = nth < 2 ? (nth + 1) * 3 * HOUR : Math.floor(random.next() ** 1.4 * 88) * DAY
      write({
        id: `01a216f9-2942-7c80-9953-${String(++count).padStart(12, "0")}`,
        cwd: `/home/dev/${project}`,
        title: titles[nth % titles.length] ?? "",
        created: now - age - random.below(2 * HOUR) - HOUR,
        turns: 1 + random.below(9),
      })
    }
  }
  made(CODEX, 26, (session) => writeCodex(join(home, ".codex"), session))
  made(CLAUDE, 30, (session) => writeClaude(join(home, ".claude"), session))
  made(GEMINI, 12, (session) => writeGemini(join(home, ".gemini"), session))
  put(home, ".gemini/projects.json", { projects: { "/home/dev/shop": "shop", "/home/dev/atlas": "atlas" } })
  return ids
}

function lines(values: readonly object[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("")
}

/** The times of a session's turns, as agents write them. */
function times({ created, turns }: Made): string[] {
  return Array.from({ length: turns + 1 }, (_, turn) => new Date(created + turn * 4 * MINUTE).toISOString())
}

function writeCodex(place: string, session: Made): void {
  const { id, cwd, title } = session
  const [timestamp = "", ...turns] = times(session)
  const said = (timestamp: string, role: string, type: string, text: string) => ({
    timestamp,
    type: "response_item",
    payload: { type: "message", role, content: [{ type, text }] },
  })
  const day = timestamp.slice(0, 10).replaceAll("-", "/")
  put(
    place,
    `sessions/${day}/rollout-${timestamp.slice(0, 19).replaceAll(":", "-")}-${id}.jsonl`,
    lines([
      { timestamp, type: "session_meta", payload: { id, timestamp, cwd, cli_version: "0.171.0" } },
      { timestamp, type: "turn_context", payload: { cwd, model: "gpt-5-codex" } },
      said(timestamp, "user", "input_text", title),
      ...turns.flatMap((at, turn) => [
        said(at, "assistant", "output_text", SAID),
        {
          timestamp: at,
          type: "event_msg",
          payload: { type: "token_count", info: { last_token_usage: usage(turn) } },
        },
      ]),
    ]),
  )
}

function usage(turn: number) {
  return {
    input_tokens: 9_000 + turn * 700,
    cached_input_tokens: 7_000,
    output_tokens: 420 + turn * 90,
    reasoning_output_tokens: 128,
    total_tokens: 9_420 + turn * 790,
  }
}

function writeClaude(place: string, session: Made): void {
  const { id, cwd, title } = session
  const [timestamp = "", ...turns] = times(session)
  const shared = { sessionId: id, cwd, version: "2.1.197", isSidechain: false }
  const uuid = (turn: number): string => `${id}-${turn}`
  put(
    place,
    `projects/${cwd.replaceAll("/", "-")}/${id}.jsonl`,
    lines([
      {
        ...shared,
        type: "user",
        uuid: uuid(0),
        parentUuid: null,
        timestamp,
        message: { role: "user", content: title },
      },
      ...turns.map((at, turn) => ({
        ...shared,
        type: "assistant",
        uuid: uuid(turn + 1),
        parentUuid: uuid(turn),
        timestamp: at,
        requestId: `req_${id}_${turn}`,
        message: {
          id: `msg_${id}_${turn}`,
          role: "assistant",
          model: "claude-sonnet-4-5",
          content: [{ type: "text", text: SAID }],
          usage: {
            input_tokens: 40,
            cache_creation_input_tokens: 1_800 + turn * 60,
            cache_read_input_tokens: 14_000,
            output_tokens: 510 + turn * 80,
          },
        },
      })),
    ]),
  )
}

function writeGemini(place: string, session: Made): void {
  const { id, cwd, title } = session
  const [startTime = "", ...turns] = times(session)
  const minute = startTime.slice(0, 16).replaceAll(":", "-")
  put(
    place,
    `tmp/${cwd.replace(/^.*\//, "")}/chats/session-${minute}-${id.slice(-8)}.jsonl`,
    lines([
      { sessionId: id, startTime, lastUpdated: turns.at(-1) ?? startTime, kind: "main" },
      { id: `${id}-0`, timestamp: startTime, type: "user", content: [{ text: title }] },
      ...turns.map((timestamp, turn) => ({
        id: `${id}-${turn + 1}`,
        timestamp,
        type: "gemini",
        content: SAID,
        model: "gemini-2.5-pro",
        tokens: { input: 11_000, output: 380, cached: 6_000, thoughts: 90, tool: 0, total: 11_470 },
      })),
    ]),
  )
}
