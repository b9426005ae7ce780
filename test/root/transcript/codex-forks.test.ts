import { describe, expect, test } from "bun:test"
import type { JsonObject } from "../../../src/record/extract.ts"
import { codex } from "../../../src/root/transcript/agents/codex.ts"
import {
  answer,
  call,
  count,
  event,
  meta,
  named,
  OLD_TURN,
  OWN_TURN,
  output,
  placedLines,
  SESSION,
  said,
  sessionsOf,
  source,
  told,
} from "./codex-transcripts.ts"
import { ownId, plainSessions } from "./plain-parse.ts"

describe("turns taken back", () => {
  test("are out of sight, and a child session that counts what they took", () => {
    const sessions = sessionsOf([
      meta(),
      said("one"),
      answer("1"),
      count(5, 5),
      said("two"),
      answer("2"),
      count(12, 7),
      said("<turn_aborted>\n</turn_aborted>"),
      said("three"),
      answer("3"),
      event("thread_rolled_back", { num_turns: 2 }),
      said("four"),
    ])
    expect(sessions.map(told)).toEqual([
      ["> one", "< 1 (5)", "> four"],
      ["> two", "< 2 (7)", "> ~<turn_aborted>\n</turn_aborted> | three", "< 3"],
    ])
    expect(sessions[1]?.info).toMatchObject({
      parentID: SESSION,
      title: "one (reverted)",
      metadata: { reverted: true },
    })
  })

  test("say the same when stopped, though an output of theirs comes late and ids come again", () => {
    const lines = [
      meta(),
      source(),
      event("task_started", { turn_id: OLD_TURN }),
      said("old", { id: "m" }),
      call("late", { id: "f" }),
      event("thread_rolled_back", { num_turns: 1 }),
      event("task_started", { turn_id: OWN_TURN }),
      said("new", { id: "m" }),
      answer("x", { id: "f" }),
      output("late"),
      said("gone"),
      call("later"),
      event("thread_rolled_back", { num_turns: 1 }),
      output("later"),
    ]
    expect(sessionsOf(lines, { stops: 1 })).toEqual(sessionsOf(lines))
    expect(ownId(sessionsOf(lines)[0]?.messages[0]?.info)).toBe("m")
  })

  test("of any number leave the rest as it is", () => {
    const roll = (num_turns: unknown): string[][] =>
      sessionsOf([meta(), said("one"), answer("1"), event("thread_rolled_back", { num_turns })]).map(told)
    expect(roll(1e300)).toEqual([[], ["> one", "< 1"]])
    expect(
      sessionsOf([
        meta(),
        source(),
        said("old"),
        event("task_started", { turn_id: OWN_TURN }),
        said("new"),
        event("thread_rolled_back", { num_turns: 2 }),
      ]).map(told),
    ).toEqual([[], ["> new"]])
    for (const none of [0, -1, "1", null, undefined]) expect(roll(none)).toEqual([["> one", "< 1"]])
  })
})

describe("forks", () => {
  test("that replay are called by their own names, and count what is their own", () => {
    const [session, ...others] = sessionsOf([
      meta({ forked_from_id: "01a2fffe-0000-7000-8000-000000000000", cwd: "/fork" }),
      source(),
      event("task_started", { turn_id: OLD_TURN }),
      said("old"),
      answer("1"),
      count(5, 5),
      said("taken back"),
      event("thread_rolled_back", { num_turns: 1 }),
      event("task_started", { turn_id: OWN_TURN }),
      said("new"),
      answer("2"),
      count(12, 7),
    ])
    expect(told(session)).toEqual(["> old", "< 1", "> new", "< 2 (7)"])
    expect(session?.info).toMatchObject({ id: SESSION, directory: "/fork", title: "new" })
    expect(session?.messages[1]?.info.metadata).toMatchObject({ replayed: true, tokens: { output: 5 } })
    expect(others).toEqual([])
  })

  test("that replay are known without their source's meta, as once they were migrated", () => {
    const [session] = sessionsOf([
      meta({ forked_from_id: "01a2fffe-0000-7000-8000-000000000000" }),
      event("task_started", { turn_id: OLD_TURN }),
      said("old"),
      answer("1"),
      count(5, 5),
      event("task_started", { turn_id: OWN_TURN }),
      said("new"),
      answer("2"),
      count(12, 7),
    ])
    expect(told(session)).toEqual(["> old", "< 1", "> new", "< 2 (7)"])
  })

  test("without ids of turns end their replay at the first pause", () => {
    const at = (ms: number, value: JsonObject): JsonObject => ({
      ...value,
      timestamp: new Date(Date.UTC(2026, 10, 29) + ms).toISOString(),
    })
    const [session] = sessionsOf([
      at(0, meta()),
      at(1, source()),
      at(2, said("old")),
      at(400, answer("1")),
      at(401, count(5, 5)),
      at(3000, said("new")),
      at(3100, answer("2")),
      at(3101, count(12, 7)),
    ])
    expect(told(session)).toEqual(["> old", "< 1", "> new", "< 2 (7)"])
  })

  test("of today read their base first, whose meta is not theirs, nor a replay in it their tokens", () => {
    const base = "01a2ffff-ffff-7000-8000-000000000000"
    const first = placedLines([
      meta({ id: base, cwd: "/base", forked_from_id: "01a2fffe-0000-7000-8000-000000000000" }),
      source(),
      event("task_started", { turn_id: OLD_TURN }),
      said("replayed"),
      answer("0"),
      count(3, 3),
      event("task_started", { turn_id: OWN_TURN }),
      said("before"),
      answer("1"),
      count(8, 5),
    ])
    const own = placedLines(
      [
        meta({
          model_provider: "q",
          forked_from_id: base,
          history_base: { thread_id: base, end_byte_offset: 90 },
        }),
        said("new"),
        answer("2"),
        count(15, 7),
      ],
      1,
    )
    const [session] = plainSessions(codex, named(), [...first, ...own])
    expect(told(session)).toEqual(["> replayed", "< 0", "> before", "< 1 (5)", "> new", "< 2 (7)"])
    expect(session?.info).toMatchObject({ id: SESSION, directory: "/home/dev/app", title: "new" })
    const rolled = placedLines([
      meta({ id: base }),
      said("gone"),
      answer("0"),
      event("thread_rolled_back", { num_turns: 1 }),
    ])
    expect(plainSessions(codex, named(), [...rolled, ...own]).map(told)).toEqual([["> new", "< 2 (7)"]])
    expect(session?.messages[3]?.info.providerID).toBe("p")
    const back = placedLines([meta(), said("new"), event("thread_rolled_back", { num_turns: 2 })], 1)
    expect(plainSessions(codex, named(), [...first, ...back]).map(told)).toEqual([
      ["> replayed", "< 0"],
      ["> new"],
    ])
    const pending = placedLines([meta({ id: base }), said("before"), count(5, 5)])
    expect(told(plainSessions(codex, named(), [...pending, ...own])[0])).toEqual([
      "> before",
      "> new",
      "< 2 (7)",
    ])
    // Their base is gone: what is left is theirs.
    expect(told(plainSessions(codex, named(), own)[0])).toEqual(["> new", "< 2 (7)"])
  })
})
