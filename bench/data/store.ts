import * as fs from "node:fs"
import { join } from "node:path"

/** Store sizes by name, in record files. */
export const SIZES = { S: 3_000, M: 126_000, L: 1_000_000 } as const
export type Size = keyof typeof SIZES

const PROJECTS = 4
const MESSAGES = 25
const PARTS = 4
/** Files that go with one session: itself, its messages, their parts. */
const FILES_A_SESSION = 1 + MESSAGES + MESSAGES * PARTS

/** Multiplicative congruential numbers from 0 to 1: the same store every time. */
export function* numbers(): Generator<number> {
  for (let state = 42; ; ) {
    state = (state * 48271) % 0x7fffffff
    yield state / 0x7fffffff
  }
}

/** One session in ten begins a chain of children of this depth. */
const CHAIN = 4
/** So many messages carry the whole diffs of their turn, in bytes. */
const GIANT_EVERY = 20_000
const GIANT_BYTES = 4_000_000

/** Bytes of a part's text: median 370 bytes a file, p95 7.4 kB, p99 26 kB, at most 690 kB, as measured in real stores. */
export function textLength(random: number): number {
  if (random > 0.9999) return 90_000 + Math.floor(((random - 0.9999) / 0.0001) * 600_000)
  if (random < 0.5) return 60 + Math.floor(random * 400)
  if (random < 0.95) return 260 + Math.floor(((random - 0.5) / 0.45) ** 3 * 7_000)
  if (random < 0.99) return 7_300 + Math.floor(((random - 0.95) / 0.04) * 18_000)
  return 26_000 + Math.floor(((random - 0.99) / 0.01) * 60_000)
}

const ONSETS = "b c d f g h j k l m n p r s t v w z br cl dr fl gr pl pr sh st th tr qu".split(" ")
const NUCLEI = "a e i o u ea ee io ou ai y".split(" ")
const CODAS = ["", "", "", ..."n r s t l d m ck ng nd st nt".split(" ")]
const CORPUS_LENGTH = 4_000_000

/** Text of a vocabulary of 8,000 words used as words are, the nth about 1/n as often as the first, with code and numbers. */
export function makeCorpus(next: () => number): string {
  const one = (letters: readonly string[]): string => letters[Math.floor(next() * letters.length)] ?? ""
  const vocabulary = Array.from({ length: 8_000 }, () =>
    Array.from({ length: 1 + Math.floor(next() * 3) }, () => one(ONSETS) + one(NUCLEI) + one(CODAS)).join(""),
  )
  const pieces: string[] = []
  for (let length = 0; length < CORPUS_LENGTH; ) {
    const kind = next()
    const word = vocabulary[Math.floor(vocabulary.length ** next()) - 1] ?? "the"
    const piece =
      kind < 0.85
        ? `${word} `
        : kind < 0.9
          ? `${word}(${word.length});\n`
          : kind < 0.93
            ? `src/${word}.ts:${Math.floor(next() * 900)} `
            : `${word.toUpperCase()}, `
    pieces.push(piece)
    length += piece.length
  }
  return pieces.join("")
}

function identifier(kind: string, number: number): string {
  return `${kind}_${String(number).padStart(12, "0")}AAAAAAAAAAAAAA`
}

/** Writes a record the way agents do: two-space JSON. */
export function write(path: string, body: unknown): void {
  fs.writeFileSync(path, JSON.stringify(body, null, 2))
}

/** Makes a store of about that many files in a new folder; gives how many it made. */
export function makeStore(directory: string, files: number): number {
  const random = numbers()
  const next = (): number => random.next().value ?? 0
  const sessions = Math.ceil(files / FILES_A_SESSION)
  const corpus = makeCorpus(next)
  let made = 0
  for (let s = 0; s < sessions; s++) {
    const sessionID = identifier("ses", s)
    const project = `project${Math.floor(s / 10) % PROJECTS}`
    const created = 1_750_000_000_000 + s * 60_000
    fs.mkdirSync(join(directory, "session", project), { recursive: true })
    fs.mkdirSync(join(directory, "message", sessionID), { recursive: true })
    const time = { created, updated: created + Math.floor(next() * 1e9) }
    write(join(directory, "session", project, `${sessionID}.json`), {
      id: sessionID,
      version: "1.1.65",
      projectID: project,
      directory: `/home/dev/${project}`,
      ...(s % 10 > 0 && s % 10 <= CHAIN ? { parentID: identifier("ses", s - 1) } : {}),
      title: `Session ${s}: ${corpus.slice(s * 40, s * 40 + 40)}`,
      time,
    })
    made++
    for (let m = 0; m < MESSAGES; m++) {
      const messageID = identifier("msg", s * MESSAGES + m)
      write(join(directory, "message", sessionID, `${messageID}.json`), {
        id: messageID,
        sessionID,
        role: m % 5 === 0 ? "user" : "assistant",
        time: { created: created + m * 1000, completed: created + m * 1000 + 900 },
        modelID: "model",
        providerID: "provider",
        mode: "build",
        path: { cwd: "/home/dev", root: "/home/dev" },
        cost: 0,
        tokens: { input: 1000, output: 200, reasoning: 0, cache: { read: 0, write: 0 } },
        finish: "stop",
        ...((s * MESSAGES + m) % GIANT_EVERY === GIANT_EVERY - 1
          ? {
              summary: {
                diffs: [
                  {
                    file: "dump.json",
                    before: "",
                    after: corpus.slice(0, GIANT_BYTES),
                    additions: 1,
                    deletions: 0,
                  },
                ],
              },
            }
          : {}),
      })
      fs.mkdirSync(join(directory, "part", messageID), { recursive: true })
      made++
      for (let p = 0; p < PARTS; p++) {
        const id = identifier("prt", (s * MESSAGES + m) * PARTS + p)
        const length = textLength(next())
        const from = Math.floor(next() * (corpus.length - length))
        const text = corpus.slice(from, from + length)
        const identity = { id, sessionID, messageID }
        const part =
          p === 0
            ? { ...identity, type: "step-start" }
            : p === 1
              ? { ...identity, type: "text", text }
              : {
                  ...identity,
                  type: "tool",
                  callID: id,
                  tool: "bash",
                  state: {
                    status: "completed",
                    input: { command: "ls" },
                    output: text,
                    title: "List",
                    metadata: {},
                    time: { start: created, end: created + 5 },
                  },
                }
        write(join(directory, "part", messageID, `${id}.json`), part)
        made++
      }
    }
  }
  return made
}
