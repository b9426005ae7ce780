import { expect, test } from "bun:test"
import { join } from "node:path"
import { openStore } from "../../src/index.ts"
import { all } from "../support/records.ts"
import { tempFolder } from "../support/temp.ts"

const SECONDS = process.env.SESSIONDEX_TEST_LONG === "1" ? 30 : 8
const now = (): number => performance.timeOrigin + performance.now()

interface Version {
  readonly kind: "part" | "message" | "session"
  readonly version: number
  readonly begun: number
  readonly ended: number
}

interface Answer {
  readonly kind: Version["kind"]
  /** The version that was answered; -1 for "nothing there yet". */
  readonly version: number
  readonly asked: number
  readonly answered: number
}

test(`for ${SECONDS} s beside a writer that overwrites in place, every answer was current while it was asked for`, async () => {
  const directory = tempFolder()
  const writer = Bun.spawn(["bun", join(import.meta.dir, "imitator-child.ts"), directory, String(SECONDS)], {
    stdout: "pipe",
    stderr: "inherit",
  })
  const log = new Response(writer.stdout).text()
  let running = true
  void writer.exited.then(() => {
    running = false
  })
  await using store = await openStore({ directory })
  const answers: Answer[] = []
  const ask = async (kind: Version["kind"], question: () => Promise<number>): Promise<void> => {
    const asked = now()
    const version = await question()
    answers.push({ kind, version, asked, answered: now() })
  }
  while (running) {
    await ask("part", async () => {
      const [part] = await all(store.parts.list("msg_0"))
      if (!part) return -1
      const version = Number(part.version)
      expect(part).toMatchObject({ type: "text", text: "x".repeat((version * 37) % 4096) })
      return version
    })
    await ask("message", async () => {
      const ids = await all(store.messages.ids("ses_1", { direction: "asc" }))
      expect(ids).toEqual(ids.map((_, i) => `msg_${i}`))
      return ids.length - 1
    })
    await ask("message", async () => (await store.messages.count("ses_1")) - 1)
    await ask("session", async () => {
      const { items } = await store.sessions.page()
      return items[0] ? Number(items[0].title.replace("version ", "")) : -1
    })
    await Bun.sleep(1)
  }
  const versions = (await log)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Version)
  const byKind = Object.groupBy(versions, ({ kind }) => kind)
  let inMid = 0
  for (const { kind, version, asked, answered } of answers) {
    const written = byKind[kind] ?? []
    const from =
      version < 0 ? Number.NEGATIVE_INFINITY : (written[version]?.begun ?? Number.POSITIVE_INFINITY)
    const to = written[version + 1]?.ended ?? Number.POSITIVE_INFINITY
    if (written.some(({ begun, ended }) => begun < answered && ended > asked)) inMid++
    if (from > answered || to < asked)
      throw new Error(
        `${kind}: asked at ${asked}, answered version ${version} at ${answered}; it was current from ${from} to ${to}`,
      )
  }
  const { answers: counts } = store.health()
  console.log(
    `${versions.length} versions written, ${answers.length} answers, ${inMid} of them while one was being written, ${counts.files} from the files`,
  )
  expect(versions.length).toBeGreaterThan(SECONDS * 30)
  expect(answers.length).toBeGreaterThan(SECONDS * 100)
}, 120_000)
