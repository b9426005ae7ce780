import { expect, test } from "bun:test"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openStore, transcripts } from "../../../src/index.ts"
import { copyOfTranscripts } from "../../support/home.ts"
import { tempFolder } from "../../support/temp.ts"
import { call, meta, SESSION, said } from "./codex-transcripts.ts"

const bytesOf = (body: unknown): number => Buffer.byteLength(JSON.stringify(body))

test.each(["claude-code", "codex", "gemini-cli"] as const)(
  "stats of %s add up what reading every record gives",
  async (name) => {
    await using store = await openStore({
      directory: tempFolder(),
      roots: [transcripts(name, copyOfTranscripts(name))],
      backgroundIndex: false,
    })
    const kinds = {
      session: { files: 0, bytes: 0 },
      message: { files: 0, bytes: 0 },
      part: { files: 0, bytes: 0 },
    }
    const projects = new Map<string, number>()
    const sizes: number[] = []
    const add = (kind: keyof typeof kinds, body: unknown): void => {
      kinds[kind].files++
      kinds[kind].bytes += bytesOf(body)
      sizes.push(bytesOf(body))
    }
    const withParts = new Set<string>()
    for await (const session of store.sessions.list()) {
      add("session", session)
      const project = String(session.projectID)
      projects.set(project, (projects.get(project) ?? 0) + 1)
      for await (const { info, parts } of store.messages.stream(session.id)) {
        add("message", info)
        if (!withParts.has(info.id)) for (const part of parts) add("part", part)
        withParts.add(info.id)
      }
    }
    const [stats] = (await store.stats()).alsoRead
    expect(stats?.kinds).toEqual(kinds)
    expect(
      new Map(stats?.projects.map(({ project, sessions }) => [String(project), sessions.files])),
    ).toEqual(projects)
    expect(stats?.months.reduce((sum, { files }) => sum + files, 0)).toBe(sizes.length)
    expect(stats?.largest.map(({ bytes }) => bytes)).toEqual(
      sizes.toSorted((a, b) => b - a).slice(0, stats?.largest.length),
    )
    expect(stats?.largest).toHaveLength(10)
  },
  60_000,
)

test("a call that is nested a hundred thousand deep is counted", async () => {
  const home = tempFolder()
  const folder = join(home, "sessions/2026/11/01")
  mkdirSync(folder, { recursive: true })
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
  const lines = [meta(), said("go"), call("a", { arguments: deep })].map(
    (line) => `${JSON.stringify(line)}\n`,
  )
  writeFileSync(join(folder, `rollout-2026-11-01T08-00-00-${SESSION}.jsonl`), lines.join(""))
  await using store = await openStore({
    directory: tempFolder(),
    roots: [transcripts("codex", home)],
    backgroundIndex: false,
  })
  const [stats] = (await store.stats()).alsoRead
  expect(stats?.kinds.part?.files).toBe(2)
  expect(stats?.kinds.part?.bytes).toBeGreaterThan(deep.length)
})
