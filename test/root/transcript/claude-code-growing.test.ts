import { expect, test } from "bun:test"
import type { JsonObject } from "../../../src/record/extract.ts"
import type { OutlinedSession } from "../../../src/root/transcript/agent.ts"
import { claudeCode } from "../../../src/root/transcript/agents/claude-code.ts"
import { Random } from "../../support/random.ts"
import {
  assistant,
  call,
  line,
  linesOf,
  MAIN,
  result,
  SESSION,
  text,
  user,
} from "./claude-code-transcripts.ts"

const LONG = process.env.SESSIONDEX_TEST_LONG === "1"
const SEEDS = LONG ? 2_000 : 150
const LINES = 80
const SIDES = { text: () => undefined }

/** A session that is mostly gone on with where it ended, and now and then elsewhere. */
class Conversation {
  readonly #random: Random
  /** How often something odd comes. */
  readonly #oddness: number
  readonly #uuids: string[] = []
  readonly #calls: string[] = []
  #last: string | null = null
  #answers = 0

  constructor(random: Random) {
    this.#random = random
    this.#oddness = random.pick([0, 0.02, 0.1])
  }

  next(): JsonObject {
    const random = this.#random
    const isOdd = (): boolean => random.chance(this.#oddness)
    const uuid = isOdd() && this.#uuids.length > 0 ? random.pick(this.#uuids) : `u${this.#uuids.length}`
    const elsewhere = (): string | null => random.pick([...this.#uuids, null, "nowhere"])
    const parent = isOdd() ? elsewhere() : this.#last
    const answer = (): string => {
      if (random.chance(0.5)) this.#answers++
      if (isOdd())
        return random.pick([
          `u${this.#uuids.length + random.below(3)}`,
          `m${random.below(this.#answers + 1)}`,
        ])
      return `m${this.#answers}`
    }
    const common = isOdd() ? random.pick([{ isSidechain: true }, { cwd: "/home/dev/other" }]) : {}
    const put = (made: JsonObject): JsonObject => {
      this.#uuids.push(uuid)
      this.#last = uuid
      return { ...made, ...common }
    }
    switch (random.below(11)) {
      case 0:
      case 1:
      case 2:
        return put(user(uuid, parent, random.pick(["Go on", "Stop", "/clear"])))
      case 3:
      case 4:
        return put(assistant(uuid, parent, answer(), text("Well")))
      case 5:
      case 6: {
        const id =
          isOdd() && this.#calls.length > 0 ? random.pick(this.#calls.slice(-2)) : `t${this.#calls.length}`
        this.#calls.push(id)
        return put(assistant(uuid, parent, answer(), call(id, { command: "ls" })))
      }
      case 7: {
        const id = isOdd() ? `t${random.below(this.#calls.length + 2)}` : (this.#calls.at(-1) ?? "t0")
        return put({ ...result(uuid, parent ?? "", id), parentUuid: parent })
      }
      case 8:
        return put(
          random.chance(0.5)
            ? line(uuid, parent, { type: "progress", data: { type: "hook_progress" } })
            : line(uuid, parent, { type: "attachment", attachment: { type: "hook_success" } }),
        )
      case 9:
        if (isOdd())
          return { type: "last-prompt", explicit: true, leafUuid: random.pick([...this.#uuids, "x"]) }
        return random.pick([
          { type: "custom-title", customTitle: `Title ${random.below(9)}`, sessionId: SESSION },
          { type: "summary", summary: "What it was", leafUuid: this.#last ?? "x" },
          { type: "last-prompt", leafUuid: this.#last ?? "x" },
        ])
      default:
        return put(
          isOdd()
            ? line(uuid, null, {
                type: "system",
                subtype: "compact_boundary",
                logicalParentUuid: parent,
                compactMetadata: { preservedSegment: { tailUuid: elsewhere(), anchorUuid: elsewhere() } },
              })
            : user(uuid, parent, "Summary", { isCompactSummary: random.chance(0.3) }),
        )
    }
  }
}

test(`in ${SEEDS} random transcripts an outline that grows equals one that is made of all lines at once`, () => {
  let grown = 0
  let outlines = 0
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = new Random(seed)
    const conversation = new Conversation(random)
    const values = Array.from({ length: LINES }, () => conversation.next())
    const fold = claudeCode.fold(MAIN)
    let before: readonly OutlinedSession[] = []
    let kept = ""
    for (const one of linesOf(values)) {
      fold.add(one)
      if (random.chance(0.4)) continue
      if (random.chance(0.1)) fold.forget?.()
      const outline = fold.outline(SIDES)
      const atOnce = claudeCode.fold(MAIN, JSON.parse(JSON.stringify(fold.state()))).outline(SIDES)
      if (JSON.stringify(outline) !== JSON.stringify(atOnce))
        expect({ seed, outline }).toEqual({ seed, outline: atOnce } as never)
      // What was given before is as it was.
      expect(JSON.stringify(before)).toBe(kept === "" ? "[]" : kept)
      outlines++
      const [first] = outline[0]?.messages ?? []
      if (first && first === before[0]?.messages[0]) grown++
      before = outline
      kept = JSON.stringify(outline)
    }
  }
  expect(grown).toBeGreaterThan(outlines / 5)
  expect(grown).toBeLessThan(outlines)
})

test("a fold that forgot holds no message of its last outline, and outlines as before", async () => {
  const values: JsonObject[] = []
  for (let at = 0, parent: string | null = null; at < 2_000; at++) {
    const uuid = `uuid-${at}`
    values.push(
      at % 2 === 0 ? user(uuid, parent, `Prompt ${at}`) : assistant(uuid, parent, `msg_${at}`, text("So")),
    )
    parent = uuid
  }
  const fold = claudeCode.fold(MAIN)
  for (const one of linesOf(values)) fold.add(one)
  const laid: number[] = []
  const messagesOf = (): readonly WeakRef<object>[] =>
    fold
      .outline(SIDES, (lines) => laid.push(lines))
      .flatMap(({ messages }) => messages.map((one) => new WeakRef(one)))
  const held = messagesOf()
  expect(held).toHaveLength(values.length)
  // Every line is laid out twice: into the tree, and into a branch.
  const sum = laid.reduce((all, lines) => all + lines, 0)
  expect(sum).toBeGreaterThan(values.length)
  expect(sum).toBeLessThanOrEqual(2 * values.length)
  const stillThere = async (): Promise<number> => {
    await Bun.sleep(0)
    Bun.gc(true)
    return held.filter((one) => one.deref() !== undefined).length
  }
  const told = JSON.stringify(fold.outline(SIDES))
  await expect(stillThere()).resolves.toBeGreaterThan(values.length / 2)
  fold.forget?.()
  await expect(stillThere()).resolves.toBeLessThan(values.length / 10)
  expect(JSON.stringify(fold.outline(SIDES))).toBe(told)
})
