import { expect, test } from "bun:test"
import type { ContainerName, Line, Sides, TranscriptAgent } from "../../../src/root/transcript/agent.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import { geminiCli } from "../../../src/root/transcript/agents/gemini-cli.ts"
import * as codexHome from "./codex-transcripts.ts"
import * as geminiHome from "./gemini-cli-lines.ts"

/** Folds outline again and again what they go on with, and give the same objects again for what stayed as it was. */
interface Case {
  readonly agent: TranscriptAgent
  readonly name: ContainerName
  readonly lines: readonly Line[]
  readonly sides: Sides
}

const { after, HEADER, NAME, user } = geminiHome

/** A tool whose result comes in a message of its own, as resumes write them, twice. */
const ANSWERED_LATER = [
  HEADER,
  user("u1", [{ text: "Look" }], 1),
  {
    id: "g1",
    timestamp: after(2),
    type: "gemini",
    content: [{ functionCall: { id: "call-1", name: "ls", args: {} } }],
  },
  user("u2", [{ functionResponse: { id: "call-1", name: "ls", response: { output: "a" } } }], 3),
  user("u2", [{ functionResponse: { id: "call-1", name: "ls", response: { output: "a, b and c" } } }], 4),
  { id: "g2", timestamp: after(5), type: "gemini", content: "There is a file" },
]

const CASES: readonly (readonly [string, Case])[] = [
  ...codexHome
    .rollouts()
    .map(({ name, lines }) => [name.name, { agent: codex, name, lines, sides: codexHome.SIDES }] as const),
  ...geminiHome
    .fixtures()
    .map(
      ([name, lines]) =>
        [name, { agent: geminiCli, name: geminiHome.nameOf(name), lines, sides: geminiHome.SIDES }] as const,
    ),
  [
    "a result in a message of its own",
    { agent: geminiCli, name: NAME, lines: geminiHome.linesOf(ANSWERED_LATER), sides: geminiHome.SIDES },
  ],
]

test.each(CASES)(
  "an outline that grew says what one made anew says: %s",
  (_, { agent, name, lines, sides }) => {
    const grown = agent.fold(name)
    let state: unknown
    for (const line of lines) {
      grown.add(line)
      const fresh = agent.fold(name, structuredClone(state))
      fresh.add(line)
      expect(JSON.stringify(grown.outline(sides))).toBe(JSON.stringify(fresh.outline(sides)))
      state = JSON.parse(JSON.stringify(fresh.state()))
    }
  },
)

test.each(CASES.filter(([, { lines }]) => lines.length > 8))(
  "what stayed as it was is the same object: %s",
  (_, { agent, name, lines, sides }) => {
    const fold = agent.fold(name)
    for (const line of lines) fold.add(line)
    const before = fold.outline(sides).flatMap(({ messages }) => messages)
    const again = fold.outline(sides).flatMap(({ messages }) => messages)
    expect(again.every((message, at) => message === before[at])).toBe(true)
  },
)
